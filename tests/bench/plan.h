// SPDX-License-Identifier: BSD-3-Clause
// plan.h - how long everything is measured: the smoke run of the test suite, or the real one.
#pragma once

namespace evs::bench {

struct Plan {
  int rounds;             // alternations of probe and evs
  int milliseconds;       // of each half of an alternation
  int wake_milliseconds;  // the same, for blocking round trips: some 50 us each, so they want longer for their tails
  int kills;              // for each of the two death rows
  int opens;              // for each of the two opening rows
  unsigned long counted_messages;  // while the system calls are counted
};

inline constexpr Plan kFullPlan{9, 400, 500, 150, 100, 2'000'000};
inline constexpr Plan kQuickPlan{3, 60, 60, 12, 10, 200'000};

}  // namespace evs::bench
