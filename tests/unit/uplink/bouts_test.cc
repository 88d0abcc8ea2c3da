// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/bouts_test.cc - what lasts, comes again and is over, in how many lines.
#include "bus/runtime/uplink/bouts.h"

#include <gtest/gtest.h>

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr Matter kRain{"rain", 1, Level::warning, 2 * kSecond};

struct Sky {
  void round(bool rains, HostId host = 1) {
    now = now + kSecond;
    if (rains) bouts.is_so(now, kRain, host, "it rains", "it is dry", lines);
    bouts.sweep(now, lines);
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Line& line : lines) texts.push_back(line.text);
    return texts;
  }
  Instant now;
  Bouts bouts;
  Lines lines;
};

using Texts = std::vector<std::string>;

TEST(Bouts, OneLineWhenItBeginsAndOneWhenItIsOver) {
  Sky sky;
  for (int i = 0; i < 10; ++i) sky.round(true);
  EXPECT_EQ(sky.texts(), Texts{"it rains"});
  EXPECT_TRUE(sky.bouts.any());
  for (int i = 0; i < 10; ++i) sky.round(false);
  EXPECT_EQ(sky.texts(), (Texts{"it rains", "it is dry"}));
  EXPECT_EQ(sky.lines[0].level, Level::warning);
  EXPECT_EQ(sky.lines[1].level, Level::info);
  EXPECT_FALSE(sky.bouts.any());
}

TEST(Bouts, OnceAMinuteWhileItLasts) {
  Sky sky;
  for (int i = 0; i < 181; ++i) sky.round(true);
  EXPECT_EQ(sky.texts(), (Texts{"it rains", "still, for 1 minute: it rains", "still, for 2 minutes: it rains", "still, for 3 minutes: it rains"}));
}

TEST(Bouts, AShortBreakIsNoEnd) {
  Sky sky;
  for (int i = 0; i < 40; ++i) sky.round(i % 2 == 0);
  EXPECT_EQ(sky.texts(), Texts{"it rains"});
}

TEST(Bouts, WhatFlapsIsSaidAsOftenAsWhatLasts) {
  Sky sky;
  for (int i = 0; i < 600; ++i) sky.round(i % 8 < 4);
  EXPECT_LE(sky.lines.size(), 2u * 11u);
  EXPECT_EQ(sky.lines[0].text, "it rains");
  EXPECT_EQ(sky.lines[1].text, "it is dry");
  EXPECT_EQ(sky.lines[2].text, "9 times in 1 minute: it rains");
}

// Whatever was said last is so.
TEST(Bouts, AfterItsEndNothingElseStandsInTheLog) {
  for (int length = 1; length < 150; ++length) {
    Sky sky;
    for (int i = 0; i < length; ++i) sky.round(i % 8 < 4);
    for (int i = 0; i < 70; ++i) sky.round(false);
    EXPECT_EQ(sky.lines.back().text, "it is dry") << length;
    sky.round(true);
    EXPECT_EQ(sky.lines.back().text, "it rains") << length;
  }
}

TEST(Bouts, ManyHostsAreNotAllNamed) {
  Sky sky;
  for (int i = 0; i < 30; ++i) {
    for (HostId host = 1; host <= 200; ++host) sky.bouts.is_so(sky.now, kRain, host, "it rains on " + std::to_string(host), "", sky.lines);
    sky.round(false);
  }
  ASSERT_EQ(sky.lines.size(), Bouts::kMostOfOneKind + 1);
  EXPECT_EQ(sky.lines.back().text, "the same is so of further hosts, which are not named; of one of them: it rains on 9");
}

}  // namespace
}  // namespace evs::runtime::uplink
