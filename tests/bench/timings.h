// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/timings.h - how long each lap of some work took, and the median of them. For works that are timed by turns within one iteration, where Google
// Benchmark's own clock would add them up.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace evs::bench {

class Timings {
 public:
  template <typename Work>
  double take(Work&& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
    all_.push_back(ns);
    return ns;
  }
  double median() {
    if (all_.empty()) return 0;
    const auto middle = all_.begin() + static_cast<ptrdiff_t>(all_.size() / 2);
    std::nth_element(all_.begin(), middle, all_.end());
    return *middle;
  }

 private:
  std::vector<double> all_;
};

}  // namespace evs::bench
