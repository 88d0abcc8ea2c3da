// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/exposition_test.cc - the text of an exporter: what is taken, what is refused and in which words, and which bus is meant.
#include <gtest/gtest.h>

#include <cmath>

#include "tools/top/exposition.h"
#include "tools/top/source.h"

namespace evs::top {
namespace {

Families parsed(const std::string& text) {
  Families families;
  std::string failure;
  EXPECT_TRUE(parse_exposition(text, families, failure)) << failure;
  return families;
}

std::string refusal(const std::string& text) {
  Families families;
  std::string failure;
  EXPECT_FALSE(parse_exposition(text, families, failure));
  EXPECT_TRUE(families.empty());
  return failure;
}

TEST(Exposition, ValuesHaveTheirLabelsAndKinds) {
  const Families families = parsed(
      "# HELP evs_up 1: a process \\n runs\n# TYPE evs_up gauge\nevs_up{bus=\"default\",directory=\"/dev/shm/evs-0\"} 1\n"
      "# TYPE evs_rejoins_total counter\nevs_rejoins_total{ring=\"order\"} 12 1700000000000\n\nbare 3e2\r\n  # a comment\n");
  ASSERT_EQ(families.size(), 3u);
  EXPECT_EQ(families[0].kind, Kind::gauge);
  EXPECT_EQ(families[1].kind, Kind::counter);
  EXPECT_EQ(families[2].kind, Kind::untyped);
  EXPECT_EQ(value_of(families, "evs_up", {{"bus", "default"}}), 1);
  EXPECT_EQ(value_of(families, "evs_rejoins_total"), 12);
  EXPECT_EQ(value_of(families, "bare"), 300);
  EXPECT_EQ(value_of(families, "evs_up", {{"bus", "other"}}), std::nullopt);
}

TEST(Exposition, EscapesInLabelsAreTaken) {
  const Families families = parsed("a{b=\"x\\\\n\\\"y\\nz\" , c = \"\",} 1\n");
  EXPECT_EQ(*families[0].series[0].label("b"), "x\\n\"y\nz");
  EXPECT_EQ(*families[0].series[0].label("c"), "");
}

TEST(Exposition, InfinitiesAndNoNumber) {
  const Families families = parsed("a +Inf\nb -Inf\nc NaN\nd +1.5\n");
  EXPECT_TRUE(std::isinf(*value_of(families, "a")));
  EXPECT_LT(*value_of(families, "b"), 0);
  EXPECT_TRUE(std::isnan(*value_of(families, "c")));
  EXPECT_EQ(value_of(families, "d"), 1.5);
}

TEST(Exposition, AHistogramIsOneSeries) {
  const Families families = parsed(
      "# TYPE evs_delivery_latency_seconds histogram\n"
      "evs_delivery_latency_seconds_bucket{guarantee=\"safe\",le=\"0.002\"} 30\nevs_delivery_latency_seconds_bucket{guarantee=\"safe\",le=\"0.001\"} 10\n"
      "evs_delivery_latency_seconds_bucket{guarantee=\"safe\",le=\"+Inf\"} 40\nevs_delivery_latency_seconds_sum{guarantee=\"safe\"} 0.06\n"
      "evs_delivery_latency_seconds_count{guarantee=\"safe\"} 40\n");
  ASSERT_EQ(families.size(), 1u);
  ASSERT_EQ(families[0].series.size(), 1u);
  const Series& series = families[0].series[0];
  EXPECT_EQ(series.count, 40);
  EXPECT_EQ(series.sum, 0.06);
  ASSERT_EQ(series.buckets.size(), 2u);
  EXPECT_EQ(series.buckets[0], (Bucket{0.001, 10}));
  EXPECT_DOUBLE_EQ(quantile(series, 0.5), 0.0015);
  EXPECT_DOUBLE_EQ(quantile(series, 0.99), 0.002) << "above the last bound: that bound";
}

TEST(Exposition, WhatIsNoneIsRefusedWithItsLine) {
  EXPECT_EQ(refusal("<html>"), "line 1: a metric's name was expected: '<html>'");
  EXPECT_EQ(refusal("a 1\nb one\n"), "line 2: a number was expected behind b: 'b one'");
  EXPECT_EQ(refusal("a{b=\"c} 1"), "line 1: the value of label b does not end: 'a{b=\"c} 1'");
  EXPECT_EQ(refusal("a{b=\"c\"d=\"e\"} 1"), "line 1: a comma or } was expected behind label b: 'a{b=\"c\"d=\"e\"} 1'");
  EXPECT_EQ(refusal("a{=\"c\"} 1"), "line 1: a label was expected: 'a{=\"c\"} 1'");
  EXPECT_EQ(refusal("a{b=\"1\",b=\"2\"} 1"), "line 1: label b stands twice: 'a{b=\"1\",b=\"2\"} 1'");
  EXPECT_EQ(refusal("a 1 2 3"), "line 1: there is something behind the value of a: 'a 1 2 3'");
  EXPECT_EQ(refusal("a 1\na 2\n"), "line 2: a stands twice with the same labels: 'a 2'");
  EXPECT_EQ(refusal("a 1\n# TYPE a gauge\n"), "line 2: the type of a comes behind its values, or twice: '# TYPE a gauge'");
  EXPECT_EQ(refusal("# TYPE a histogram\na 1\n"), "line 2: a is a histogram and has a value of its own: 'a 1'");
  EXPECT_EQ(refusal("# TYPE a histogram\na_bucket 1\n"), "line 2: a bucket of a has no bound (le): 'a_bucket 1'");
  EXPECT_EQ(refusal("\x1b[31m 1"), "line 1: a metric's name was expected: '\\x1b[31m 1'") << "what is quoted steers no terminal";
}

TEST(Exposition, AllOfItHasBounds) {
  EXPECT_EQ(refusal(std::string(kMostTextBytes + 1, '\n')), "the text is longer than 8.0 MiB");
  EXPECT_EQ(refusal("a 1\nb" + std::string(kMostLineBytes, ' ') + "1\n").substr(0, 39), "line 2: it is longer than 16.0 KiB: 'b ");
  std::string many;
  for (size_t i = 0; i <= kMostSeries; ++i) many += "a{b=\"" + std::to_string(i) + "\"} 1\n";
  EXPECT_EQ(refusal(many).substr(0, 46), "line 20001: there are more than 20000 series: ");
  std::string labels = "a{";
  for (size_t i = 0; i <= kMostLabels; ++i) labels += "l" + std::to_string(i) + "=\"\",";
  EXPECT_NE(refusal(labels + "} 1").find("more than 32 labels"), std::string::npos);
}

TEST(Exposition, WrittenAndReadAgainItIsTheSame) {
  const std::string text = write_exposition(parsed("# TYPE h histogram\nh_bucket{x=\"a\\\"\\n\",le=\"0.1\"} 3\nh_count{x=\"a\\\"\\n\"} 4\nu{y=\"\\\\\"} -0.1\nn NaN\n"));
  EXPECT_EQ(write_exposition(parsed(text)), text);
}

constexpr const char* kTwo =
    "# TYPE evs_up gauge\nevs_up{bus=\"default\",directory=\"/a\"} 1\nevs_up{bus=\"default\",directory=\"/b\"} 0\nevs_up{bus=\"trades\",directory=\"/a\"} 1\n"
    "# TYPE evs_exporter_info gauge\nevs_exporter_info{version=\"1.0.0\"} 1\n";

std::string not_picked(const std::string& text, const std::string& bus) {
  Frame frame;
  std::string failure;
  EXPECT_FALSE(pick_bus(parsed(text), bus, frame, failure));
  return failure;
}

TEST(PickBus, ItsSeriesAloneAndWithoutItsName) {
  Frame frame;
  std::string failure;
  ASSERT_TRUE(pick_bus(parsed(kTwo), "/b/default", frame, failure)) << failure;
  EXPECT_EQ(frame.bus, "default");
  EXPECT_EQ(frame.directory, "/b");
  EXPECT_EQ(value_of(frame.families, "evs_up"), 0);
  EXPECT_TRUE(find(frame.families, "evs_up")->series[0].labels.empty());
  EXPECT_EQ(value_of(frame.families, "evs_exporter_info"), 1) << "what is of no bus stays";
  ASSERT_TRUE(pick_bus(parsed(kTwo), "trades", frame, failure)) << failure;
  EXPECT_EQ(frame.directory, "/a");
}

TEST(PickBus, WhoAsksForNoneIsToldWhichThereAre) {
  EXPECT_EQ(not_picked(kTwo, ""), "it tells of several buses: default in /a, default in /b, trades in /a; choose one with --bus NAME or --bus DIRECTORY/NAME");
  EXPECT_EQ(not_picked(kTwo, "other"), "it tells of no bus \"other\", but of default in /a, default in /b, trades in /a");
  EXPECT_EQ(not_picked("node_load1 3\n", ""), "it tells of no bus");
}

}  // namespace
}  // namespace evs::top
