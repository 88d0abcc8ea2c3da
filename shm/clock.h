// SPDX-License-Identifier: BSD-3-Clause
// shm/clock.h - the clock that all processes of a host share.
#pragma once

#include <time.h>

#include <cstdint>

namespace evs::shm {

inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace evs::shm
