// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/histogram_test.cc - every duration has its bucket, none is counted twice, and a reader beside the writers sees no more than was said.
#include "shm/histogram.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "shm/counters.h"

namespace evs::shm {
namespace {

TEST(Histogram, BucketsFollowOneAnotherWithoutAGap) {
  EXPECT_EQ(bucket_of(0), 0u);
  EXPECT_EQ(bucket_of(127), 0u);
  for (uint32_t bucket = 0; bucket + 1 < kBuckets; ++bucket) {
    const uint64_t end = bucket_end_ns(bucket);
    EXPECT_EQ(bucket_of(end - 1), bucket);
    EXPECT_EQ(bucket_of(end), bucket + 1);
    if (bucket > 0) EXPECT_LE(end * 2, bucket_end_ns(bucket - 1) * 3) << "half as long again at most";
  }
  EXPECT_EQ(bucket_end_ns(0), 128u);
  EXPECT_EQ(bucket_end_ns(kBuckets - 2), uint64_t{1} << 34);
  EXPECT_EQ(bucket_of(UINT64_MAX), kBuckets - 1);
  EXPECT_EQ(bucket_end_ns(kBuckets - 1), UINT64_MAX);
}

TEST(Histogram, ASampleIsTheFirstAndEachSoManyAfterIt) {
  const auto taken = [](const Sampling& sampling) {
    uint64_t sum = 0;
    for (uint64_t n = 0; n < 4096; ++n) sum += sampling.takes(n);
    return sum;
  };
  EXPECT_EQ(taken({}), 0u);
  EXPECT_EQ(taken(Sampling::one_in(0)), 4096u);
  EXPECT_EQ(taken(Sampling::one_in(10)), 4u);
  EXPECT_TRUE(Sampling::one_in(30).takes(0));
  EXPECT_FALSE(Sampling{}.any());
}

TEST(Histogram, WhatWasTakenIsInItsBucketAndInTheSum) {
  const auto block = std::make_unique<CounterBlock>();
  block->took(Histogram::callback, 1000);
  block->took(Histogram::callback, 1001);
  block->took(Histogram::wake_up, 5);
  const auto word = [&](uint32_t at) { return block->value[at].load(); };
  EXPECT_EQ(word(first_word(Histogram::callback) + bucket_of(1000)), 2u);
  EXPECT_EQ(word(first_word(Histogram::callback) + kBuckets), 2001u);
  EXPECT_EQ(word(first_word(Histogram::wake_up)), 1u);
  uint64_t sum = 0;
  for (uint32_t at = 0; at < kCounterRoom; ++at) sum += word(at);
  EXPECT_EQ(sum, 2 + 2001 + 1 + 5u);
}

// Several threads of a process write, a monitor reads: nothing is lost, and no count falls. (Under ThreadSanitizer this is what it is for.)
TEST(Histogram, WritersAndAReaderNeedNoLock) {
  constexpr uint64_t kEach = 20'000;
  const auto block = std::make_unique<CounterBlock>();
  std::vector<std::thread> writers;
  for (uint64_t w = 0; w < 3; ++w)
    writers.emplace_back([&block, w] {
      for (uint64_t i = 0; i < kEach; ++i) block->took(Histogram::delivery, (i * 37 + w) % 100'000);
    });
  const auto counted = [&] {
    uint64_t sum = 0;
    for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) sum += block->value[first_word(Histogram::delivery) + bucket].load(std::memory_order_relaxed);
    return sum;
  };
  for (uint64_t last = 0, now = 0; now < 3 * kEach; last = now) {
    now = counted();
    ASSERT_GE(now, last);
    ASSERT_LE(now, 3 * kEach);
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(counted(), 3 * kEach);
}

}  // namespace
}  // namespace evs::shm
