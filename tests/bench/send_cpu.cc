// SPDX-License-Identifier: BSD-3-Clause
// send_cpu.cc - what a message costs its sender as readers are added: one call must not become one a reader.
#include "tests/bench/alternate.h"
#include "tests/bench/member.h"
#include "tests/bench/pace.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kBytes = 64;
constexpr uint32_t kMany = 16;

Tally* reader_tally;

void take(hdb_handle_t, unsigned int, const void* data, size_t bytes) {
  reader_tally->take(data, bytes);
}

double evs_send_cpu(int milliseconds, uint32_t readers) {
  return run_pace_round(
      "evs", PaceRound{milliseconds, kBytes, readers},
      [](PacedSender& sender) {
        const evs_group group = group_named("pace");
        Member member(nullptr);
        sender.ready();
        while (sender.next_burst()) {
          while (const Payload* message = sender.next()) {
            // Readers that have read everything before the burst hold no room.
            if (!member.send_to(group, message->data(), message->bytes())) throw Malfunction("no room for a burst");
          }
        }
      },
      [](uint32_t, PacedReader& reader) {
        reader_tally = &reader.tally();
        Member member(take);
        member.join(group_named("pace"));
        reader.ready();
        while (!reader.complete()) {
          const uint64_t before = reader.tally().messages;
          member.dispatch(CS_DISPATCH_ALL);
          reader.found(reader.tally().messages - before);
        }
      });
}

struct Bare {
  double one, many;
};

}  // namespace

std::vector<Outcome> measure_send_cpu(const Plan& plan) {
  const RecordShape shape = ring_shape(kBytes);
  const auto rounds = alternate(
      plan.rounds, [&] { return evs_send_cpu(plan.milliseconds, 1); },
      [&] { return evs_send_cpu(plan.milliseconds, kMany); });
  const auto itself = [](double cost) { return cost; };
  const auto compared = compare(rounds, itself, [](double one, double many) { return many / one; });
  const Bare bare{probe_log_send_cpu(plan.milliseconds, shape, 1), probe_log_send_cpu(plan.milliseconds, shape, kMany)};
  return {{TargetId::send_cpu_16,
           compared.values,
           {{"evs, 1 reader", median_over(rounds, [](const auto& r) { return r.before; }), "ns"},
            {"evs, 16 readers", median_over(rounds, [](const auto& r) { return r.ours; }), "ns"},
            {"bare log, 1 reader", bare.one, "ns"},
            {"bare log, 16 readers", bare.many, "ns"}},
           compared.unsteady,
           ""}};
}

}  // namespace evs::bench
