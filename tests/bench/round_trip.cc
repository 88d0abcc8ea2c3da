// SPDX-License-Identifier: BSD-3-Clause
// round_trip.cc - two busy processes in one group send 64 bytes to and fro: the latency of the whole path.
//
// Both are members of the group, so each also reads what it sent itself, as an ordinary program does.
#include "tests/bench/alternate.h"
#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/payload.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kBytes = 64;
constexpr double kLines = 1.6;
constexpr double kFixedNs = 60;

struct Table {
  StartLine start, finish;
  std::atomic<bool> over;
  alignas(128) Samples samples;
};

Tally tally;

void take(hdb_handle_t, unsigned int, const void* data, size_t bytes) {
  tally.take(data, bytes);
}

void send(Member& member, const Payload& payload) {
  // The ring holds thousands of what is in flight here; no room would be a malfunction.
  if (!member.send_joined(payload.data(), payload.bytes())) throw Malfunction("no room with one message in flight");
}

void ask(Table& table, int milliseconds) {
  Member member(take);
  member.join(group_named("ping-pong"));
  Payload ping(kBytes, 0);
  table.start.wait_for(2);
  const uint64_t end = ticks() + static_cast<uint64_t>(milliseconds * 1e6 / ns_per_tick());
  uint64_t before = ticks();
  for (uint64_t round = 0; before < end && !table.samples.full(); ++round) {
    ping.number(round);
    send(member, ping);
    while (tally.next[1] == round) member.dispatch(CS_DISPATCH_ALL);
    const uint64_t after = ticks();
    table.samples.add(after - before);
    before = after;
  }
  table.over.store(true, std::memory_order_release);
  if (tally.out_of_order != 0) throw Malfunction("an answer was lost or out of order");
  table.finish.wait_for(2);
}

void answer(Table& table) {
  Member member(take);
  member.join(group_named("ping-pong"));
  Payload pong(kBytes, 1);
  table.start.wait_for(2);
  uint64_t answered = 0;
  while (!table.over.load(std::memory_order_relaxed)) {
    member.dispatch(CS_DISPATCH_ALL);
    if (tally.next[0] == answered) continue;
    pong.number(answered++);
    send(member, pong);
  }
  if (tally.out_of_order != 0) throw Malfunction("a question was lost or out of order");
  table.finish.wait_for(2);
}

struct Probe {
  Percentiles line, log;
};

}  // namespace

Percentiles evs_round_trip(int milliseconds) {
  Shared<Table> table;
  Crew crew;
  crew.start("ask", cores().first, [&] { ask(*table, milliseconds); });
  crew.start("answer", cores().second, [&] { answer(*table); });
  crew.finish();
  const Samples& samples = table->samples;
  return percentiles_of(std::vector<uint32_t>(samples.ticks, samples.ticks + samples.count), ns_per_tick());
}

std::vector<Outcome> measure_round_trip(const Plan& plan) {
  const RecordShape shape = ring_shape(kBytes);
  const auto rounds = alternate(
      plan.rounds,
      [&] {
        return Probe{probe_line(plan.milliseconds), probe_log_round_trip(plan.milliseconds, shape)};
      },
      [&] { return evs_round_trip(plan.milliseconds); });

  const auto line = [](const Probe& probe) { return probe.line.p50; };
  const auto p50 = compare(
      rounds, line, [](double probe, const Percentiles& ours) { return ours.p50 / (kLines * probe + kFixedNs); });
  const auto tail = compare(rounds, line, [](double, const Percentiles& ours) { return ours.p99 / ours.p50; });

  const auto over = [&](auto pick) { return median_over(rounds, pick); };
  Outcome first{TargetId::round_trip_p50, p50.values, {}, p50.unsteady, ""};
  first.figures = {
      {"evs p50", over([](const auto& r) { return r.ours.p50; }), "ns"},
      {"cache line p50", over([](const auto& r) { return r.before.line.p50; }), "ns"},
      {"bare log p50", over([](const auto& r) { return r.before.log.p50; }), "ns"},
  };
  Outcome second{TargetId::round_trip_p99, tail.values, {}, tail.unsteady, ""};
  second.figures = {
      {"evs p90", over([](const auto& r) { return r.ours.p90; }), "ns"},
      {"p99", over([](const auto& r) { return r.ours.p99; }), "ns"},
      {"p99.9", over([](const auto& r) { return r.ours.p999; }), "ns"},
      {"max", over([](const auto& r) { return r.ours.max; }) / 1e3, "us"},
      {"cache line p99", over([](const auto& r) { return r.before.line.p99; }), "ns"},
      {"cache line p99.9", over([](const auto& r) { return r.before.line.p999; }), "ns"},
      {"bare log p99", over([](const auto& r) { return r.before.log.p99; }), "ns"},
  };
  return {first, second};
}

}  // namespace evs::bench
