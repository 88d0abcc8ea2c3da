// SPDX-License-Identifier: BSD-3-Clause
// quiet.h - silence before a round trip, so that whoever is to be woken has stopped spinning and sleeps.
#pragma once

#include <time.h>

namespace evs::bench {

inline void be_quiet(int microseconds) {
  if (microseconds <= 0) return;
  const timespec pause{microseconds / 1'000'000, microseconds % 1'000'000 * 1000L};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
}

}  // namespace evs::bench
