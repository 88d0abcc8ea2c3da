// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/deadlines.h - a timer is a name; all deadlines stand in one row, and the next wake-up is their minimum.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "bus/ordering/ids.h"

namespace evs::ordering {

enum class Timer : uint8_t {
  token_lost,    // no newer token for this long: the ring is broken
  token_resend,  // what we passed on may be lost: say it again
  token_hold,    // something is to be said in its place, or a token that stays here is let go again
  join_resend,
  consensus,     // who has not agreed by now is given up
  merge_probe,
  stalled,       // nothing could be delivered for so long
  count_
};

class Deadlines {
 public:
  void arm(Timer timer, Instant at) { at_[index(timer)] = at; }
  void disarm(Timer timer) { at_[index(timer)] = kNever; }
  void disarm_all() { at_.fill(kNever); }
  bool armed(Timer timer) const { return at_[index(timer)] != kNever; }
  Instant next() const { return *std::min_element(at_.begin(), at_.end()); }

  // Disarms what it returns: a handler that still wants the timer arms it again, in plain sight.
  std::optional<Timer> take_due(Instant now) {
    const auto due = std::min_element(at_.begin(), at_.end());
    if (*due > now || *due == kNever) return std::nullopt;
    *due = kNever;
    return static_cast<Timer>(due - at_.begin());
  }

  Deadlines() { disarm_all(); }

 private:
  static size_t index(Timer timer) { return static_cast<size_t>(timer); }
  std::array<Instant, static_cast<size_t>(Timer::count_)> at_;
};

}  // namespace evs::ordering
