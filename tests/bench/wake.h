// SPDX-License-Identifier: BSD-3-Clause
// wake.h - the two players of a blocking round trip: they answer from the callback, whatever woke the dispatch.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/samples.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

struct WakeTable {
  StartLine start;
  alignas(128) Samples samples;
};

// One of the two, in a child of its own. `run` dispatches until over() says so (or the handle is finalized).
class WakePlayer {
 public:
  // `asks`: this one starts each round trip and times it, after `quiet_us` of silence, for `milliseconds`.
  WakePlayer(WakeTable& table, bool asks, int milliseconds, int quiet_us, bool ends_by_finalize);

  // Joins, waits for the other, and lets `run` dispatch; throws what a callback could not.
  void play(const std::function<void(Member&)>& run);
  bool over() const { return over_; }

 private:
  static void deliver(hdb_handle_t, unsigned int, const void* data, size_t bytes) noexcept;
  void take(const void* data, size_t bytes);
  void ask();
  void send(uint64_t number);
  void end();

  WakeTable& table_;
  bool asks_;
  int quiet_us_;
  uint64_t milliseconds_;
  bool ends_by_finalize_;
  Member* member_ = nullptr;
  uint64_t next_ = 0;
  uint64_t end_ns_ = 0;
  uint64_t asked_at_ = 0;
  bool over_ = false;
  std::string failure_;
};

using RunMember = std::function<void(Member&, const WakePlayer&)>;

Percentiles evs_wake_round(int milliseconds, int quiet_us, bool ends_by_finalize, const RunMember& run);

// The two rows, back to back and after quiet, of one way to wait against its bare probe.
std::vector<Outcome> measure_wake(const Plan& plan, const char* probe_name, TargetId back_to_back, TargetId after_quiet,
                                  Percentiles (*probe)(int milliseconds, int quiet_us), bool ends_by_finalize,
                                  const RunMember& run);

}  // namespace evs::bench
