// SPDX-License-Identifier: BSD-3-Clause
// pace.h - a round with readers that keep up: what a message costs its sender.
//
// The sender sends a burst, far smaller than the ring, and then waits until every reader says that it has read it. Only
// the burst's processor time is counted (CLOCK_THREAD_CPUTIME_ID), so waiting is free and no message meets a full ring.
// The sender has one processor to itself; all readers share the other and give it away whenever there is nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "tests/bench/crew.h"
#include "tests/bench/payload.h"
#include "tests/bench/rate_round.h"

namespace evs::bench {

struct PaceRound {
  int milliseconds;
  size_t payload_bytes;
  uint32_t readers;
};

struct PaceTable {
  struct alignas(128) Progress {
    std::atomic<uint64_t> read;
  };
  StartLine start;
  alignas(128) std::atomic<bool> over;
  uint64_t sent[kSendersMax];
  uint64_t cpu_ns;
  Progress progress[kRateReadersMax];
  Tally tallies[kRateReadersMax];
};

class PacedSender {
 public:
  static constexpr uint64_t kBurst = 256;

  PacedSender(const PaceRound& round, PaceTable& table);
  void ready();
  bool next_burst();      // waits for the readers; false when the time is up
  const Payload* next();  // the next message of the burst, or nullptr at its end

 private:
  const PaceRound& round_;
  PaceTable& table_;
  Payload payload_;
  uint64_t sent_ = 0;
  uint64_t burst_end_ = 0;
  uint64_t end_ns_ = 0;
  uint64_t burst_cpu_ns_ = 0;
  uint64_t cpu_ns_ = 0;
};

class PacedReader {
 public:
  PacedReader(const PaceRound& round, PaceTable& table, uint32_t index);
  void ready();
  Tally& tally() { return tally_; }
  void found(uint64_t messages);
  bool complete() const { return complete_; }

 private:
  const PaceRound& round_;
  PaceTable& table_;
  uint32_t index_;
  Tally tally_{};
  bool complete_ = false;
};

// Nanoseconds of the sender's processor a message.
double run_pace_round(const std::string& what, const PaceRound& round, const std::function<void(PacedSender&)>& send,
                      const std::function<void(uint32_t index, PacedReader&)>& read);

}  // namespace evs::bench
