// SPDX-License-Identifier: BSD-3-Clause
// clock.cc - how long a tick is: twenty milliseconds of both clocks, side by side.
#include "tests/bench/clock.h"

namespace evs::bench {

namespace {

constexpr uint64_t kCalibrationNs = 20'000'000;

double calibrate() {
  const uint64_t start_ns = monotonic_ns();
  const uint64_t start = ticks();
  uint64_t end_ns = start_ns;
  while (end_ns - start_ns < kCalibrationNs) end_ns = monotonic_ns();
  return static_cast<double>(end_ns - start_ns) / static_cast<double>(ticks() - start);
}

}  // namespace

double ns_per_tick() {
  static const double measured = calibrate();
  return measured;
}

}  // namespace evs::bench
