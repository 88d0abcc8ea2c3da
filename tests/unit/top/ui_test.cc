// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/ui_test.cc - what keys do, and what a command line says.
#include <gtest/gtest.h>

#include "tools/top/cli.h"
#include "tools/top/ui.h"

namespace evs::top {
namespace {

constexpr Shown kShown{3, 20, 5};

Ui pressed(std::initializer_list<int> keys, Ui ui = {}) {
  for (const int key : keys) press(ui, key, kShown);
  return ui;
}

TEST(Ui, ViewsAreChosenByNumberAndInTurn) {
  EXPECT_EQ(pressed({'4'}).view, View::ring);
  EXPECT_EQ(pressed({'\t', '\t'}).view, View::groups);
  EXPECT_EQ(pressed({kKeyLeft}).view, View::plugins);
  EXPECT_EQ(pressed({'7', kKeyRight}).view, View::processes);
  EXPECT_EQ(pressed({'8'}).view, View::processes) << "there are seven";
}

TEST(Ui, EachViewIsSortedForItself) {
  const Ui ui = pressed({'s', 's', '2', 's', 'r'});
  EXPECT_EQ(ui.sorted[0], 1u);
  EXPECT_EQ(ui.sorted[1], 0u);
  EXPECT_TRUE(ui.reversed[1]);
  EXPECT_FALSE(ui.reversed[0]);
  EXPECT_EQ(pressed({'s', 's', 's', 's'}).sorted[0], kUnsorted) << "behind the last column, as the view has them";
}

TEST(Ui, AFilterIsTypedAndKeptOrDropped) {
  Ui ui = pressed({'/', 'q', 'x', kKeyBackspace});
  EXPECT_TRUE(ui.prompting);
  EXPECT_FALSE(ui.quit) << "a letter of the filter";
  EXPECT_EQ(ui.filter, "q");
  ui = pressed({kKeyEnter}, ui);
  EXPECT_FALSE(ui.prompting);
  EXPECT_EQ(ui.filter, "q");
  EXPECT_EQ(pressed({kKeyEscape}, ui).filter, "");
  EXPECT_EQ(pressed({'/', 0xc3, 0xa4, kKeyBackspace}).filter, "") << "a character of two bytes goes whole";
  Ui many = pressed({'/'});
  for (int i = 0; i < 1000; ++i) press(many, 'a', kShown);
  EXPECT_LE(many.filter.size(), 64u);
}

TEST(Ui, PauseStepTotalsAndInterval) {
  EXPECT_TRUE(pressed({'p'}).paused);
  EXPECT_FALSE(pressed({'p', ' '}).paused);
  EXPECT_TRUE(pressed({'.'}).step);
  EXPECT_TRUE(pressed({'t'}).totals);
  EXPECT_EQ(pressed({'+'}).interval_ns, 2'000'000'000u);
  EXPECT_EQ(pressed({'-', '-'}).interval_ns, 200'000'000u);
  EXPECT_EQ(pressed({'-', '-', '-', '-', '-', '-'}).interval_ns, 100'000'000u);
}

TEST(Ui, ScrollingEndsWhereTheRowsDo) {
  EXPECT_EQ(pressed({kKeyUp}).scroll, 0u);
  EXPECT_EQ(pressed({kKeyDown, kKeyDown}).scroll, 2u);
  EXPECT_EQ(pressed({kKeyEnd}).scroll, 15u);
  EXPECT_EQ(pressed({kKeyEnd, kKeyPageDown, kKeyPageUp}).scroll, 10u);
  EXPECT_EQ(pressed({kKeyEnd, kKeyHome}).scroll, 0u);
}

TEST(Ui, HelpGoesWithAnyKey) {
  EXPECT_TRUE(pressed({'?'}).help);
  EXPECT_FALSE(pressed({'?', '3'}).help);
  EXPECT_EQ(pressed({'?', '3'}).view, View::processes);
  EXPECT_TRUE(pressed({'?', 'q'}).quit);
}

std::optional<int> status(std::initializer_list<const char*> words, Options* options = nullptr) {
  std::vector<const char*> arguments{"evs-top"};
  arguments.insert(arguments.end(), words);
  CommandLine line;
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  const auto result = line.parse(static_cast<int>(arguments.size()), arguments.data());
  ::testing::internal::GetCapturedStderr();
  ::testing::internal::GetCapturedStdout();
  if (options != nullptr) *options = line.options();
  return result;
}

TEST(TopCommandLine, WhatItAsksFor) {
  Options options;
  EXPECT_EQ(status({"--view", "ring", "-d", "200ms", "--sort", "behind", "--bus", "b", "--set", "local.directory=/x"}, &options), std::nullopt);
  EXPECT_EQ(options.view, View::ring);
  EXPECT_EQ(options.interval_ns, 200'000'000u);
  EXPECT_TRUE(options.on_screen());
  EXPECT_EQ(status({"--url", "http://h:1/metrics", "--csv"}, &options), std::nullopt);
  EXPECT_FALSE(options.on_screen());
  EXPECT_EQ(options.url, "http://h:1/metrics");
  for (const auto& [given, asked] : {std::pair{"http://h:1", "http://h:1/metrics"}, {"https://[::1]:1?a=/b", "https://[::1]:1/metrics?a=/b"}, {"http://h/", "http://h/"}, {"http://h/x", "http://h/x"}}) {
    EXPECT_EQ(status({"--url", given}, &options), std::nullopt);
    EXPECT_EQ(options.url, asked);
  }
  EXPECT_EQ(status({"--help"}), 0);
}

TEST(TopCommandLine, WhatItRefuses) {
  for (const auto& words : {std::initializer_list<const char*>{"--view", "nosuch"}, {"-d", "1ms"}, {"-d", "soon"}, {"--url", "ftp://h"}, {"--url", "http://h", "--replay", "f"}, {"--json", "--csv"}, {"--count", "0"}, {"extra"}})
    EXPECT_EQ(status(words), 2);
  EXPECT_EQ(status({"--check", "--nosuch"}), 3) << "UNKNOWN: a mistake in the command is neither a warning nor a broken bus";
}

}  // namespace
}  // namespace evs::top
