// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/clock.h - the two clocks: one for durations, one for people.
#pragma once

#include <cstdint>
#include <ctime>

namespace evs::tools {

inline uint64_t read_clock(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}
inline uint64_t unix_ns() {
  return read_clock(CLOCK_REALTIME);
}

}  // namespace evs::tools
