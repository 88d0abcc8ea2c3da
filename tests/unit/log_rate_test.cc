// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/log_rate_test.cc - how often a message of one kind is said, and that what is not said is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bus/runtime/log.h"
#include "bus/runtime/log_rate.h"
#include "tests/unit/log_heard.h"

namespace evs::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Rate, WhatExceedsTheWindowIsCountedAndReportedOnce) {
  Heard heard;
  LogOptions options = into(heard);
  options.rate = 3;
  Log log(options);
  for (uint64_t i = 0; i < 10; ++i) log.say_at(kSecond + i, LogLevel::warning, "full", std::to_string(i));
  EXPECT_THAT(heard.texts(), ElementsAre("0", "1", "2"));
  log.say_at(11 * kSecond - 1, LogLevel::warning, "full", "still in the window");
  EXPECT_EQ(heard.lines.size(), 3u);
  log.say_at(11 * kSecond, LogLevel::warning, "full", "next");
  EXPECT_THAT(heard.texts(), ElementsAre("0", "1", "2", "8 messages of kind full suppressed in 10 s", "next"));
}

TEST(Rate, KindsDoNotDisturbEachOther) {
  Heard heard;
  LogOptions options = into(heard);
  options.rate = 1;
  Log log(options);
  log.say_at(0, LogLevel::warning, "a", "a1");
  log.say_at(1, LogLevel::warning, "a", "a2");
  log.say_at(2, LogLevel::warning, "b", "b1");
  EXPECT_THAT(heard.texts(), ElementsAre("a1", "b1"));
}

TEST(Rate, TheTickReportsWhenNoMessageFollows) {
  Heard heard;
  LogOptions options = into(heard);
  options.rate = 1;
  Log log(options);
  log.say_at(0, LogLevel::warning, "a", "said");
  log.say_at(1, LogLevel::error, "a", "suppressed, and the report is as severe");
  log.tick_at(kLogWindowNs - 1);
  EXPECT_EQ(heard.lines.size(), 1u);
  log.tick_at(kLogWindowNs);
  log.tick_at(kLogWindowNs + 1);
  EXPECT_THAT(heard.texts(), ElementsAre("said", "1 message of kind a suppressed in 10 s"));
  EXPECT_EQ(heard.lines[1].first, 4);
}

TEST(Rate, ClosingTheLogReportsWhatWasSuppressed) {
  Heard heard;
  LogOptions options = into(heard);
  options.rate = 1;
  {
    Log log(options);
    for (int i = 0; i < 5; ++i) log.say_at(1, LogLevel::warning, "a", "x");
  }
  EXPECT_THAT(heard.texts(), ElementsAre("x", "4 messages of kind a suppressed in 10 s"));
}

TEST(Rate, WhatIsBelowTheLevelIsNotCounted) {
  Heard heard;
  LogOptions options = into(heard);
  options.rate = 1;
  {
    Log log(options);
    for (int i = 0; i < 5; ++i) log.say_at(1, LogLevel::debug, "a", "x");
    log.say_at(2, LogLevel::warning, "a", "y");
  }
  EXPECT_THAT(heard.texts(), ElementsAre("y"));
}

TEST(Rate, ZeroIsNoLimit) {
  Heard heard;
  LogOptions options = into(heard);
  options.rate = 0;
  Log log(options);
  for (int i = 0; i < 1000; ++i) log.say_at(1, LogLevel::warning, "a", "x");
  EXPECT_EQ(heard.lines.size(), 1000u);
}

TEST(Rate, InventedKindsShareAWindowWhenThereAreTooMany) {
  LogRate rate(1);
  std::vector<Suppressed> finished;
  for (size_t i = 0; i < kLogKindsMax; ++i) EXPECT_TRUE(rate.admit(0, "kind-" + std::to_string(i), 3, finished));
  EXPECT_TRUE(rate.admit(0, "one more", 3, finished));
  EXPECT_FALSE(rate.admit(0, "and another", 3, finished));
  EXPECT_FALSE(rate.admit(0, "kind-0", 3, finished)) << "known ones keep theirs";
  const std::vector<Suppressed> all = rate.take_all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kind, "kind-0");
  EXPECT_EQ(all[1].kind, "other");
}

TEST(Rate, ATimeBeforeTheWindowIsInsideIt) {
  LogRate rate(1);
  std::vector<Suppressed> finished;
  EXPECT_TRUE(rate.admit(5 * kSecond, "a", 3, finished));
  EXPECT_FALSE(rate.admit(4 * kSecond, "a", 3, finished)) << "another thread's clock was read a little earlier";
  EXPECT_TRUE(finished.empty());
}

// Over any sequence of messages: nothing vanishes uncounted, and no window exceeds its limit.
TEST(Rate, SaidAndSuppressedAddUp) {
  uint64_t state = 12345;
  const auto random = [&] { return (state = state * 6364136223846793005ull + 1442695040888963407ull) >> 33; };
  LogRate rate(4);
  std::vector<Suppressed> finished;
  uint64_t now = 0, said = 0, total = 0;
  for (int i = 0; i < 50000; ++i) {
    now += random() % (kSecond / 2);
    ++total;
    said += rate.admit(now, std::string(1, static_cast<char>('a' + random() % 5)), 3, finished) ? 1 : 0;
    if (random() % 100 == 0)
      for (Suppressed& one : rate.take_finished(now)) finished.push_back(one);
  }
  for (Suppressed& one : rate.take_all()) finished.push_back(one);
  uint64_t suppressed = 0;
  for (const Suppressed& one : finished) suppressed += one.count;
  EXPECT_EQ(said + suppressed, total);
  EXPECT_LE(said, 5 * 4 * (now / kLogWindowNs + 1));
  EXPECT_GT(suppressed, 0u);
}

}  // namespace
}  // namespace evs::runtime
