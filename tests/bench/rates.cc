// SPDX-License-Identifier: BSD-3-Clause
// rates.cc - messages a second: one evs_mcast_groups() a message, against one append to the bare log.
//
// The senders name the group and have not joined it, so that they are senders only, as the bare log's are. (A sender
// that joins must read everything it sends as well: that figure is printed beside.)
#include "tests/bench/alternate.h"
#include "tests/bench/member.h"
#include "tests/bench/rate_round.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

Tally* reader_tally;

void take(hdb_handle_t, unsigned int, const void* data, size_t bytes) {
  reader_tally->take(data, bytes);
}

void ignore(hdb_handle_t, unsigned int, const void*, size_t) {}

void read_all(ReadLoop& loop) {
  reader_tally = &loop.tally();
  Member member(take);
  member.join(group_named("rate"));
  loop.ready();
  while (!loop.complete()) {
    const uint64_t before = loop.tally().messages;
    member.dispatch(CS_DISPATCH_ALL);
    loop.found(loop.tally().messages - before);
  }
}

// One that is also a member of the group: it dispatches its own messages each time a good part of the ring is its own.
double evs_rate_joined(int milliseconds, size_t payload_bytes) {
  constexpr uint64_t kDispatchEvery = 256;
  return run_rate_round(
      "evs, joined", RateRound{milliseconds, payload_bytes, 1, 1},
      [](uint32_t, SendLoop& loop) {
        Member member(ignore);
        member.join(group_named("rate"));
        loop.ready();
        while (const Payload* message = loop.next()) {
          while (!member.send_joined(message->data(), message->bytes())) {
            member.dispatch(CS_DISPATCH_ALL);
            loop.refused();
          }
          if (loop.sent() % kDispatchEvery == 0) member.dispatch(CS_DISPATCH_ALL);
        }
      },
      [](uint32_t, ReadLoop& loop) { read_all(loop); });
}

Outcome compare_rate(const Plan& plan, TargetId id, size_t payload_bytes) {
  const RecordShape shape = ring_shape(payload_bytes);
  const auto rounds = alternate(
      plan.rounds, [&] { return probe_log_rate(plan.milliseconds, shape, 1, 1).messages_per_second; },
      [&] { return evs_rate(plan.milliseconds, payload_bytes, 1, 1); });
  const auto itself = [](double rate) { return rate; };
  const auto compared = compare(rounds, itself, [](double probe, double ours) { return ours / probe; });
  const double ours = median_over(rounds, [](const auto& r) { return r.ours; });
  const double bare = median_over(rounds, [](const auto& r) { return r.before; });
  const double bytes = static_cast<double>(payload_bytes);
  return {id,
          compared.values,
          {{"evs", ours / 1e6, "M/s"},
           {"evs", ours * bytes / 1e9, "GB/s"},
           {"bare log", bare / 1e6, "M/s"},
           {"bare log", bare * bytes / 1e9, "GB/s"},
           {"record", static_cast<double>(shape.record_bytes), "B"}},
          compared.unsteady,
          ""};
}

}  // namespace

double evs_rate(int milliseconds, size_t payload_bytes, uint32_t senders, uint32_t readers) {
  return run_rate_round(
      "evs", RateRound{milliseconds, payload_bytes, senders, readers},
      [](uint32_t, SendLoop& loop) {
        const evs_group group = group_named("rate");
        Member member(nullptr);
        loop.ready();
        while (const Payload* message = loop.next()) {
          while (!member.send_to(group, message->data(), message->bytes())) loop.refused();
        }
      },
      [](uint32_t, ReadLoop& loop) { read_all(loop); });
}

std::vector<Outcome> measure_rates(const Plan& plan) {
  std::vector<Outcome> out;
  out.push_back(compare_rate(plan, TargetId::rate_64, 64));
  out.back().figures.push_back({"evs, sender joined too", evs_rate_joined(plan.milliseconds, 64) / 1e6, "M/s"});
  out.push_back(compare_rate(plan, TargetId::rate_1k, 1024));
  out.push_back(compare_rate(plan, TargetId::rate_64k, 65536));
  return out;
}

}  // namespace evs::bench
