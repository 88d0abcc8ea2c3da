// SPDX-License-Identifier: BSD-3-Clause
// rate_round.cc - who runs where, when the clock stops, and what must add up.
#include "tests/bench/rate_round.h"

#include <sched.h>

#include <algorithm>

#include "tests/bench/clock.h"

namespace evs::bench {

namespace {

// How long a reader that found nothing leaves the writer's lines alone.
constexpr int kPausesWhenEmpty = 512;
constexpr int kPausesWhenFull = 64;

// Reading the clock for each small message would be a part of what is measured.
uint64_t check_mask_for(size_t payload_bytes) {
  return payload_bytes >= 16384 ? 0 : payload_bytes >= 1024 ? 15 : 255;
}

}  // namespace

SendLoop::SendLoop(const RateRound& round, RateTable& table, uint32_t index)
    : round_(round),
      table_(table),
      index_(index),
      payload_(round.payload_bytes, index),
      check_mask_(check_mask_for(round.payload_bytes)) {}

void SendLoop::ready() {
  table_.start.wait_for(round_.senders + round_.readers);
  uint64_t none = 0;
  table_.first_ns.compare_exchange_strong(none, monotonic_ns());
  end_ticks_ = ticks() + static_cast<uint64_t>(round_.milliseconds * 1e6 / ns_per_tick());
}

const Payload* SendLoop::next() {
  if ((sent_ & check_mask_) == 0 && ticks() >= end_ticks_) {
    table_.sent[index_] = sent_;
    table_.senders_done.fetch_add(1, std::memory_order_release);
    return nullptr;
  }
  payload_.number(sent_++);
  return &payload_;
}

void SendLoop::refused() {
  if (round_.crowded()) {
    sched_yield();
  } else {
    relax_times(kPausesWhenFull);
  }
}

ReadLoop::ReadLoop(const RateRound& round, RateTable& table, uint32_t index)
    : round_(round), table_(table), index_(index) {}

void ReadLoop::ready() {
  table_.start.wait_for(round_.senders + round_.readers);
}

void ReadLoop::found(uint64_t messages) {
  if (messages > 0) return;
  look_whether_complete();
  if (complete_) return;
  if (round_.crowded()) {
    sched_yield();
  } else {
    relax_times(kPausesWhenEmpty);
  }
}

void ReadLoop::look_whether_complete() {
  if (table_.senders_done.load(std::memory_order_acquire) < round_.senders) return;
  uint64_t sent = 0;
  for (uint32_t i = 0; i < round_.senders; ++i) sent += table_.sent[i];
  if (tally_.messages < sent) return;
  table_.last_ns[index_] = monotonic_ns();
  table_.tallies[index_] = tally_;
  complete_ = true;
}

double run_rate_round(const std::string& what, const RateRound& round,
                      const std::function<void(uint32_t index, SendLoop&)>& send,
                      const std::function<void(uint32_t index, ReadLoop&)>& read) {
  if (round.senders > kSendersMax || round.readers > kRateReadersMax) throw Malfunction("a round too large");
  Shared<RateTable> table;
  Crew crew;
  const int cpus[2] = {cores().first, cores().second};
  for (uint32_t i = 0; i < round.senders; ++i) {
    crew.start(what + " sender", cpus[i % 2], [&, i] {
      SendLoop loop(round, *table, i);
      send(i, loop);
    });
  }
  for (uint32_t i = 0; i < round.readers; ++i) {
    crew.start(what + " reader", cpus[(i + 1) % 2], [&, i] {
      ReadLoop loop(round, *table, i);
      read(i, loop);
    });
  }
  crew.finish(round.milliseconds / 1000 + 30);

  uint64_t total = 0;
  uint64_t last_ns = 0;
  for (uint32_t i = 0; i < round.senders; ++i) total += table->sent[i];
  for (uint32_t i = 0; i < round.readers; ++i) {
    require_complete(table->tallies[i], round.payload_bytes, table->sent, round.senders, what);
    last_ns = std::max(last_ns, table->last_ns[i]);
  }
  if (total == 0) throw Malfunction(what + ": not one message was sent");
  return static_cast<double>(total) * 1e9 / static_cast<double>(last_ns - table->first_ns.load());
}

}  // namespace evs::bench
