// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/tools_text_test.cc - group names, bytes, tables, histogram and lines, as the command `evs` reads and
// writes them.
#include "tools/evs/text.h"

#include <gtest/gtest.h>

#include <random>

#include "tools/evs/histogram.h"
#include "tools/evs/line_reader.h"

namespace evs::tools {
namespace {

std::string shown(const std::optional<GroupKey>& key) {
  return key ? show_group(key->data()) : "none";
}

TEST(GroupName, TextStandsForItselfFollowedByZeros) {
  const auto key = parse_group("chat");
  ASSERT_TRUE(key);
  EXPECT_EQ(std::string_view(key->data(), 6), std::string_view("chat\0\0", 6));
  EXPECT_EQ(shown(key), "chat");
  EXPECT_EQ(shown(parse_group(std::string(32, 'x'))), std::string(32, 'x'));
}

TEST(GroupName, AnyKeyCanBeWrittenAndReadBack) {
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    GroupKey key;
    for (char& c : key) c = static_cast<char>(random() % (round % 2 ? 256 : 3));
    EXPECT_EQ(parse_group(show_group(key.data())), key) << show_group(key.data());
  }
}

TEST(GroupName, TextThatCouldBeMistakenIsWrittenInHex) {
  GroupKey key{};
  std::copy_n("hex:", 4, key.begin());
  EXPECT_EQ(shown(key), "hex:6865783a" + std::string(56, '0'));
  key = {};
  key[0] = '\x1b';
  EXPECT_EQ(shown(key), "hex:1b" + std::string(62, '0'));
  EXPECT_EQ(shown(GroupKey{}), "hex:" + std::string(64, '0'));
}

TEST(GroupName, RefusesWhatIsNone) {
  EXPECT_EQ(shown(parse_group("")), "none");
  EXPECT_EQ(shown(parse_group(std::string(33, 'x'))), "none");
  EXPECT_EQ(shown(parse_group("hex:12")), "none");
  EXPECT_EQ(shown(parse_group("hex:" + std::string(63, '0') + "g")), "none");
}

TEST(Utf8, TakesTextAndRefusesTheUsualForgeries) {
  for (const char* good : {"", "plain",
                           "gr\xc3\xbc\xc3\x9f"
                           "e",
                           "\xe2\x82\xac", "\xf0\x9f\x8e\xbb", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << printable(good);
  for (const char* bad : {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80"})
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
}

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string_view("\xff\x00\xfe", 3)), "/wD+");
}

TEST(Printable, LeavesNothingThatSteersATerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f\xc2\x9b\xff\xc3\xbc"), "a\\x1b[31mb\\x0a\\x7f\\xc2\\x9b\\xff\xc3\xbc");
}

TEST(Show, ChoosesTheUnitThatPeopleWould) {
  EXPECT_EQ(show_bytes(0), "0 B");
  EXPECT_EQ(show_bytes(1023), "1023 B");
  EXPECT_EQ(show_bytes(4 << 20), "4.0 MiB");
  EXPECT_EQ(show_duration(235), "235 ns");
  EXPECT_EQ(show_duration(1'500'000), "1.50 ms");
  EXPECT_EQ(show_duration(125'000'000'000), "2 min 5 s");
  EXPECT_EQ(show_duration(3'660'000'000'000), "1 h 1 min");
  EXPECT_EQ(show_count(9999), "9999");
  EXPECT_EQ(show_count(1'250'000), "1.25 M");
  EXPECT_EQ(show_count(54e6), "54.00 M");
  EXPECT_EQ(show_time(1'000'000'000'000'000'042ull), "2001-09-09T01:46:40.000000042Z");
}

TEST(Palette, PaintsOnlyWhereItMay) {
  EXPECT_EQ(Palette(true)(Paint::red, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Palette(false)(Paint::red, "x"), "x");
  EXPECT_EQ(Palette(true)(Paint::plain, "x"), "x");
}

TEST(TableText, AlignsByWhatIsSeen) {
  Table table({{"NAME"}, {"N", true}});
  table.row({"\xc3\xbc", "100"});
  table.row({"long name", "7"});
  EXPECT_EQ(table.render(Palette(false), "> "),
            "> NAME         N\n"
            "> \xc3\xbc          100\n"
            "> long name    7\n");
}

TEST(HistogramTest, PercentilesAreRightToOnePart_In_64) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 100'000; ++value) histogram.add(value);
  for (const uint32_t per_mille : {1u, 10u, 500u, 900u, 990u, 999u}) {
    const double exact = 100.0 * per_mille, found = static_cast<double>(histogram.at_per_mille(per_mille));
    EXPECT_GE(found, exact) << per_mille;
    EXPECT_LE(found, exact * (1 + 1.0 / 32)) << per_mille;
  }
  EXPECT_EQ(histogram.at_per_mille(1000), 100'000u);
  EXPECT_EQ(histogram.max(), 100'000u);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50'000.5);
}

TEST(HistogramTest, TakesTheEndsOfTheRange) {
  Histogram histogram;
  EXPECT_EQ(histogram.at_per_mille(500), 0u);
  histogram.add(0);
  EXPECT_EQ(histogram.at_per_mille(1000), 0u);
  histogram.add(UINT64_MAX / 2);
  EXPECT_EQ(histogram.max(), UINT64_MAX / 2);
}

std::vector<std::string> all_lines(LineReader& reader) {
  std::vector<std::string> lines;
  while (const auto line = reader.peek()) {
    lines.emplace_back(*line);
    reader.take();
  }
  return lines;
}

TEST(LineReaderTest, TheSameLinesHoweverTheBytesArrive) {
  const std::string text = "one\n\nthree\r\nfour";
  const std::vector<std::string> expected = {"one", "", "three\r", "four"};
  for (size_t step = 1; step <= text.size(); ++step) {
    LineReader reader(100);
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size(); at += step) {
      reader.feed(std::string_view(text).substr(at, step));
      for (auto& line : all_lines(reader)) lines.push_back(line);
    }
    reader.end_of_input();
    for (auto& line : all_lines(reader)) lines.push_back(line);
    EXPECT_EQ(lines, expected) << step;
    EXPECT_EQ(reader.lines_taken(), 4u);
  }
}

TEST(LineReaderTest, ALineThatWasSeenStaysNextUntilItIsTaken) {
  LineReader reader(100);
  reader.feed("a\nb\n");
  EXPECT_EQ(reader.peek(), "a");
  reader.take();
  EXPECT_EQ(reader.peek(), "b");
  reader.feed("c\n");
  EXPECT_EQ(reader.peek(), "b");
  EXPECT_EQ(all_lines(reader), (std::vector<std::string>{"b", "c"}));
}

TEST(LineReaderTest, NoEmptyLineAfterTheLastNewline) {
  LineReader reader(100);
  reader.feed("a\n");
  reader.end_of_input();
  EXPECT_EQ(all_lines(reader), std::vector<std::string>{"a"});
}

TEST(LineReaderTest, AnEndlessLineIsNoticedBeforeItsEnd) {
  LineReader reader(4);
  reader.feed("1234\n123");
  EXPECT_FALSE(reader.too_long());
  reader.take();
  EXPECT_FALSE(reader.too_long());
  reader.feed("45");
  EXPECT_TRUE(reader.too_long());
}

}  // namespace
}  // namespace evs::tools
