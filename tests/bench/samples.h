// SPDX-License-Identifier: BSD-3-Clause
// samples.h - intervals that one process writes and another reads the percentiles of.
//
// The array lies in shared memory and is touched before the round: a page fault inside a measured interval would be a
// figure about the kernel. Nothing is thrown away and nothing smoothed; when the array is full the round ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace evs::bench {

struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;  // nanoseconds, unless said otherwise
  size_t count = 0;
};

struct Samples {
  static constexpr size_t kRoom = 1u << 20;
  size_t count;
  uint32_t ticks[kRoom];

  bool full() const { return count == kRoom; }
  void add(uint64_t value) { ticks[count++] = static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX)); }
};

// The value below which `share` of the sorted values lie. A counter that ticks in steps of ten nanoseconds gives the
// same value to thousands of samples; the place among its equals says where in the step the answer lies.
template <typename T>
double quantile(const std::vector<T>& sorted, double share) {
  const double rank = share * static_cast<double>(sorted.size());
  const T value = sorted[std::min(static_cast<size_t>(rank), sorted.size() - 1)];
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
  if (first == sorted.begin() || last == sorted.end()) return static_cast<double>(value);
  const double step = std::min(static_cast<double>(value - *(first - 1)), static_cast<double>(*last - value));
  const double place = (rank - static_cast<double>(first - sorted.begin())) / static_cast<double>(last - first);
  return static_cast<double>(value) + step * (place - 0.5);
}

// `scale` turns the values' unit into the one wanted.
template <typename T>
Percentiles percentiles_of(std::vector<T> values, double scale) {
  Percentiles out;
  out.count = values.size();
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.p50 = quantile(values, 0.50) * scale;
  out.p90 = quantile(values, 0.90) * scale;
  out.p99 = quantile(values, 0.99) * scale;
  out.p999 = quantile(values, 0.999) * scale;
  out.max = static_cast<double>(values.back()) * scale;
  return out;
}

inline double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace evs::bench
