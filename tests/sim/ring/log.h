// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/log.h - the log of a simulated host: room for what is delivered, and readers who make it free again.
//
// Readers read at once, but for a while they may not, or slowly; then little room is left, and it comes back in steps, or at the end.
#pragma once

#include <algorithm>

#include "bus/ordering/protocol.h"

namespace evs::sim {

using ordering::Duration;
using ordering::Instant;

class Log {
 public:
  explicit Log(const ordering::Settings& settings)
      : capacity_(ordering::Protocol::least_room(settings)), overhead_(settings.delivery_overhead), room_(capacity_) {}

  // Nobody reads until then, and only so much room is left. `step`: slowly instead, so much every now and then.
  void stop(Instant now, Instant until, uint64_t room, uint64_t step) {
    again_ = until;
    room_ = std::min(room_, room);
    step_ = step;
    next_ = step == 0 ? until : now + kStepEvery;
  }
  void read_all() {
    again_ = next_ = ordering::kNever;
    room_ = capacity_;
  }
  bool is_stopped() const { return again_ != ordering::kNever; }
  Instant next() const { return next_; }
  void read(Instant now) {
    if (now >= again_) return read_all();
    room_ = std::min(capacity_, room_ + step_);
    next_ = std::min(again_, now + kStepEvery);
  }

  // False: it should not have been delivered.
  bool append(size_t bytes) {
    const uint64_t cost = bytes + overhead_;
    const bool fits = cost <= room_;
    room_ -= std::min(room_, cost);
    if (!is_stopped()) room_ = capacity_;
    return fits;
  }
  uint64_t room() const { return room_; }

 private:
  static constexpr Duration kStepEvery = 10 * ordering::kMillisecond;
  const uint64_t capacity_;
  const uint64_t overhead_;
  uint64_t room_;
  uint64_t step_ = 0;
  Instant again_ = ordering::kNever, next_ = ordering::kNever;
};

}  // namespace evs::sim
