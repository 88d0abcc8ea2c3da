// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/views_test.cc - tables: sorting, filtering, CSV, and what views make of numbers.
#include <gtest/gtest.h>

#include "tests/unit/top/frames.h"
#include "tools/top/draw.h"
#include "tools/top/views.h"

namespace evs::top {
namespace {

std::vector<std::string> column(const Sheet& sheet, const std::string& title) {
  std::vector<std::string> texts;
  for (const Row& row : sheet.rows)
    for (size_t i = 0; i < sheet.columns.size(); ++i)
      if (sheet.columns[i].title == title) texts.push_back(row.cells[i].text);
  return texts;
}

TEST(Sheet, NumbersFallTextsRiseAndWhatHasNoneIsLast) {
  Sheet sheet{{}, {{"N", "n", true}, {"T", "t"}}, {{{{"5", 5}, {"b"}}}, {{{"-"}, {"c"}}}, {{{"10", 10}, {"a"}}}}, ""};
  sort(sheet, 0, false);
  EXPECT_EQ(column(sheet, "N"), (std::vector<std::string>{"10", "5", "-"}));
  sort(sheet, 0, true);
  EXPECT_EQ(column(sheet, "N"), (std::vector<std::string>{"5", "10", "-"}));
  sort(sheet, 1, false);
  EXPECT_EQ(column(sheet, "T"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Sheet, AFilterLooksIntoEveryCellWhateverTheCase) {
  Sheet sheet{{}, {{"A", "a"}, {"B", "b"}}, {{{{"Feed"}, {"x"}}}, {{{"desk"}, {"y"}}}}, ""};
  filter(sheet, "fEE");
  EXPECT_EQ(column(sheet, "A"), std::vector<std::string>{"Feed"});
  filter(sheet, "nothing");
  EXPECT_EQ(sheet.nothing, "nothing here has 'nothing' in it");
}

TEST(Sheet, CsvHasNumbersInBaseUnitsAndQuotesWhatItMust) {
  const Sheet sheet{{}, {{"SIZE", "size_bytes", true}, {"WHO", "who"}, {"", ""}}, {{{{"1.5 KiB", 1536}, {"a, \"b\""}, {"###"}}}, {{{"-"}, {"=cmd"}, {""}}}}, ""};
  EXPECT_EQ(csv_of(sheet, "T", true), "time,size_bytes,who\r\nT,1536,\"a, \"\"b\"\"\"\r\nT,,'=cmd\r\n");
}

TEST(Views, RatesAndTotals) {
  Model model;
  Frame first = test::frame(0), second = test::frame(1);
  first.detail->members[0].sent_messages = 10;
  second.detail->members[0].sent_messages = 1510;
  model.add(first);
  Ui ui;
  EXPECT_EQ(column(sheet_of(model, ui), "SENT/s"), (std::vector<std::string>{"-", "-"}));
  model.add(second);
  EXPECT_EQ(column(sheet_of(model, ui), "SENT/s"), (std::vector<std::string>{"1500", "0"}));
  ui.totals = true;
  EXPECT_EQ(column(sheet_of(model, ui), "SENT"), (std::vector<std::string>{"1510", "0"}));
}

TEST(Views, EveryHistogramOfSecondsIsShownWhateverItsName) {
  Model model;
  Frame frame = test::frame();
  frame.families = {{"evs_delivery_latency_seconds", Kind::histogram, {{{{"guarantee", "safe"}}, 0, {{0.001, 50}, {0.002, 100}}, 0.1, 100}, {{{"guarantee", "fifo"}}, 0, {{0.001, 0}, {0.002, 0}}, 0, 0}}},
                    {"evs_token_age_seconds", Kind::gauge, {{{}, 0.25, {}, 0, 0}}},
                    {"evs_seconds", Kind::gauge, {{{}, 1, {}, 0, 0}}},
                    {"evs_ring_used_bytes", Kind::gauge, {{{}, 5, {}, 0, 0}}}};
  model.add(frame);
  Ui ui;
  ui.view = View::latency;
  ui.totals = true;
  const Sheet sheet = sheet_of(model, ui);
  EXPECT_EQ(column(sheet, "WHAT"), (std::vector<std::string>{"delivery latency", "token age", "evs", "delivery latency"}));
  EXPECT_EQ(column(sheet, "OF"), (std::vector<std::string>{"safe", "", "", "fifo"})) << "what has no sample yet comes last";
  EXPECT_EQ(column(sheet, "MEAN"), (std::vector<std::string>{"1.00 ms", "-", "-", "-"}));
  EXPECT_EQ(column(sheet, "P50"), (std::vector<std::string>{"1.00 ms", "-", "-", "-"}));
  EXPECT_EQ(column(sheet, "NOW"), (std::vector<std::string>{"-", "250.00 ms", "1.0 s", "-"}));
}

TEST(Views, AGroupNamesWhoIsInIt) {
  Model model;
  Frame frame = test::frame();
  frame.detail->members[0].groups.push_back(test::group("a\x1b[2J"));
  model.add(frame);
  Ui ui;
  ui.view = View::groups;
  EXPECT_EQ(column(sheet_of(model, ui), "WHO"), (std::vector<std::string>{"812 (feed), 900 (desk)", "812 (feed)"}));
  for (const std::string& name : column(sheet_of(model, ui), "GROUP")) EXPECT_EQ(name.find('\x1b'), std::string::npos) << "it steers no terminal";
}

TEST(Views, WithAnUplinkItsGatewayTellsWhoIsInAGroupOnWhichHost) {
  Model model;
  Frame frame = test::frame();
  for (metrics::Member& member : frame.detail->members) member.groups.clear();
  frame.detail->outbox.emplace();
  const std::string chat = "63686174" + std::string(metrics::GroupKey{}.size() * 2 - 8, '0');
  frame.detail->uplink.values = {{"host_id", "7"}, {"group_1", chat + " 28673:812 36865:41"}, {"group_count", "3"}};
  model.add(frame);
  Ui ui;
  EXPECT_EQ(column(sheet_of(model, ui), "GROUPS"), (std::vector<std::string>{"1", "0"}));
  ui.view = View::groups;
  const Sheet sheet = sheet_of(model, ui);
  EXPECT_EQ(column(sheet, "GROUP"), std::vector<std::string>{"chat"});
  EXPECT_EQ(column(sheet, "WHO"), std::vector<std::string>{"812 (feed), 41 on host 9"});
  ASSERT_EQ(sheet.remarks.size(), 1u);
  EXPECT_EQ(sheet.remarks[0].text, "and 2 more, which the gateway does not list");
}

TEST(Draw, ASparklineEndsWithTheNewest) {
  EXPECT_EQ(sparkline({0, 1, 4, 8}, 6, false), "   ▁▄█");
  EXPECT_EQ(sparkline({0, 1, 4, 8}, 6, true), "   _-#");
  EXPECT_EQ(sparkline({1, 2, 3}, 2, true), "+#");
  EXPECT_EQ(sparkline({kNone, 1}, 2, true), " #");
  EXPECT_EQ(bar(0.5, 4, true), "##..");
  EXPECT_EQ(bar(7, 4, true), "####");
  EXPECT_EQ(bar(kNone, 2, true), "..");
}

TEST(Draw, WidthsAreThoseOfATerminal) {
  EXPECT_EQ(width_of("abc"), 3u);
  EXPECT_EQ(width_of("█é"), 2u);
  EXPECT_EQ(width_of("日本"), 4u);
  EXPECT_EQ(cut("日本語", 4, false), "日…");
  EXPECT_EQ(cut("abcdef", 4, true), "abc~");
  EXPECT_EQ(cut("abcd", 4, true), "abcd");
  EXPECT_EQ(cut("abc", 0, true), "");
  EXPECT_EQ(to_ascii("a█日\xff"), "a????");
}

}  // namespace
}  // namespace evs::top
