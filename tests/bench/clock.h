// SPDX-License-Identifier: BSD-3-Clause
// clock.h - one clock for both sides of every comparison.
//
// Short intervals are read from the processor's counter where it has one that all cores agree on: a vDSO call costs as
// much as a third of what is measured here. The reading waits for earlier loads (rdtscp), so that a round trip does not
// end before its answer was seen. Anything that two processes compare with each other is CLOCK_MONOTONIC.
#pragma once

#include <time.h>

#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace evs::bench {

inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t thread_cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t ticks() {
#if defined(__x86_64__)
  unsigned processor = 0;
  return __rdtscp(&processor);
#else
  return monotonic_ns();
#endif
}

// Measured once, before the first fork; children inherit it.
double ns_per_tick();

inline void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The length of a pause when there was nothing to read: a reader on the writer's heels steals each line it writes.
inline void relax_times(int times) {
  for (int i = 0; i < times; ++i) relax();
}

}  // namespace evs::bench
