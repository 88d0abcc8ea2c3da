// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/histogram.h - a log-linear histogram: 64 buckets an octave, so that a percentile is right to 1.6 %.
//
// Every sample counts; nothing is kept but counts, so a measurement may take an hour. It is plain data and may lie in
// memory shared between processes as long as one of them writes and the others read it after that one ended.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace evs::tools {

class Histogram {
 public:
  void add(uint64_t value) {
    ++counts_[bucket_of(value)];
    ++total_;
    sum_ += value;
    max_ = std::max(max_, value);
  }

  uint64_t total() const { return total_; }
  uint64_t max() const { return max_; }
  double mean() const { return total_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(total_); }

  // The smallest bucket's upper end that at least `per_mille` thousandths of the samples do not exceed.
  uint64_t at_per_mille(uint32_t per_mille) const {
    const uint64_t wanted = (total_ * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (seen >= wanted && seen > 0) return std::min(upper_end_of(bucket), max_);
    }
    return max_;
  }

 private:
  static constexpr uint32_t kSubBits = 6, kSub = 1u << kSubBits;
  static constexpr uint32_t kOctaves = 40;  // up to 2^46 ns: 19 hours
  static constexpr uint32_t kBuckets = (kOctaves + 1) * kSub;

  static uint32_t bucket_of(uint64_t value) {
    if (value < kSub) return static_cast<uint32_t>(value);
    const auto octave = static_cast<uint32_t>(std::bit_width(value)) - kSubBits;  // 1: values below 2 * kSub
    const auto within = static_cast<uint32_t>(value >> (octave - 1)) - kSub;
    return std::min(octave * kSub + within, kBuckets - 1);
  }
  static uint64_t upper_end_of(uint32_t bucket) {
    if (bucket < kSub) return bucket;
    const uint32_t octave = bucket / kSub, within = bucket % kSub;
    return ((uint64_t{kSub} + within + 1) << (octave - 1)) - 1;
  }

  uint64_t counts_[kBuckets] = {};
  uint64_t total_ = 0, sum_ = 0, max_ = 0;
};

}  // namespace evs::tools
