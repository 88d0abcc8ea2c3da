// SPDX-License-Identifier: BSD-3-Clause
// pace.cc - bursts, and waiting for those who read them.
#include "tests/bench/pace.h"

#include <sched.h>

#include "tests/bench/clock.h"

namespace evs::bench {

PacedSender::PacedSender(const PaceRound& round, PaceTable& table)
    : round_(round), table_(table), payload_(round.payload_bytes, 0) {}

void PacedSender::ready() {
  table_.start.wait_for(1 + round_.readers);
  end_ns_ = monotonic_ns() + static_cast<uint64_t>(round_.milliseconds) * 1'000'000u;
}

bool PacedSender::next_burst() {
  for (uint32_t i = 0; i < round_.readers; ++i) {
    while (table_.progress[i].read.load(std::memory_order_acquire) < sent_) sched_yield();
  }
  if (monotonic_ns() >= end_ns_) {
    table_.sent[0] = sent_;
    table_.cpu_ns = cpu_ns_;
    table_.over.store(true, std::memory_order_release);
    return false;
  }
  burst_end_ = sent_ + kBurst;
  burst_cpu_ns_ = thread_cpu_ns();
  return true;
}

const Payload* PacedSender::next() {
  if (sent_ == burst_end_) {
    cpu_ns_ += thread_cpu_ns() - burst_cpu_ns_;
    return nullptr;
  }
  payload_.number(sent_++);
  return &payload_;
}

PacedReader::PacedReader(const PaceRound& round, PaceTable& table, uint32_t index)
    : round_(round), table_(table), index_(index) {}

void PacedReader::ready() {
  table_.start.wait_for(1 + round_.readers);
}

void PacedReader::found(uint64_t messages) {
  if (messages > 0) {
    table_.progress[index_].read.store(tally_.messages, std::memory_order_release);
    return;
  }
  // The sender is over only once everybody has read everything.
  if (table_.over.load(std::memory_order_acquire)) {
    table_.tallies[index_] = tally_;
    complete_ = true;
    return;
  }
  sched_yield();
}

double run_pace_round(const std::string& what, const PaceRound& round, const std::function<void(PacedSender&)>& send,
                      const std::function<void(uint32_t index, PacedReader&)>& read) {
  if (round.readers > kRateReadersMax) throw Malfunction("a round too large");
  Shared<PaceTable> table;
  Crew crew;
  crew.start(what + " sender", cores().first, [&] {
    PacedSender sender(round, *table);
    send(sender);
  });
  for (uint32_t i = 0; i < round.readers; ++i) {
    crew.start(what + " reader", cores().second, [&, i] {
      PacedReader reader(round, *table, i);
      read(i, reader);
    });
  }
  crew.finish(round.milliseconds / 1000 + 30);
  for (uint32_t i = 0; i < round.readers; ++i) {
    require_complete(table->tallies[i], round.payload_bytes, table->sent, 1, what);
  }
  if (table->sent[0] == 0) throw Malfunction(what + ": not one message was sent");
  return static_cast<double>(table->cpu_ns) / static_cast<double>(table->sent[0]);
}

}  // namespace evs::bench
