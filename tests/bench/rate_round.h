// SPDX-License-Identifier: BSD-3-Clause
// rate_round.h - a throughput round, the same for evs and for the bare log: only how a message is sent and read
// differs.
//
// Senders send numbered messages until the time is up and say how many; readers read until they have them all, and the
// clock stops when the last reader has the last one. Every reader's tally is then checked against what was sent, so a
// rate is only ever reported for messages that arrived whole, once and in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "tests/bench/crew.h"
#include "tests/bench/payload.h"

namespace evs::bench {

inline constexpr uint32_t kRateReadersMax = 16;

struct RateRound {
  int milliseconds;
  size_t payload_bytes;
  uint32_t senders;
  uint32_t readers;

  // More processes than processors: who waits must give its processor away.
  bool crowded() const { return senders + readers > 2 || cores().one_only(); }
};

struct RateTable {
  StartLine start;
  alignas(128) std::atomic<uint64_t> first_ns;  // the earliest sender's start
  alignas(128) std::atomic<uint32_t> senders_done;
  alignas(128) uint64_t sent[kSendersMax];  // each written before its sender counts itself done
  alignas(128) uint64_t last_ns[kRateReadersMax];
  Tally tallies[kRateReadersMax];
};

class SendLoop {
 public:
  SendLoop(const RateRound& round, RateTable& table, uint32_t index);

  void ready();           // all handles are open: wait for the others, start the clock
  const Payload* next();  // the next message, or nullptr when the time is up
  void refused();         // there was no room: wait a little
  uint64_t sent() const { return sent_; }

 private:
  const RateRound& round_;
  RateTable& table_;
  uint32_t index_;
  Payload payload_;
  uint64_t sent_ = 0;
  uint64_t end_ticks_ = 0;
  uint64_t check_mask_;
};

class ReadLoop {
 public:
  ReadLoop(const RateRound& round, RateTable& table, uint32_t index);

  void ready();
  Tally& tally() { return tally_; }
  // After each attempt to read: how many messages it gave. With none, pauses as the lessons of the field demand.
  void found(uint64_t messages);
  bool complete() const { return complete_; }

 private:
  void look_whether_complete();
  const RateRound& round_;
  RateTable& table_;
  uint32_t index_;
  Tally tally_{};
  bool complete_ = false;
};

// Messages a second that went through, each to all readers. `send` and `read` run in processes of their own.
double run_rate_round(const std::string& what, const RateRound& round,
                      const std::function<void(uint32_t index, SendLoop&)>& send,
                      const std::function<void(uint32_t index, ReadLoop&)>& read);

}  // namespace evs::bench
