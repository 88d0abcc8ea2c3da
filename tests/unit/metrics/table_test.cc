// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/metrics/table_test.cc - the table keeps Prometheus's conventions, and the manual page is the table's.
#include "metrics/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace evs::metrics {
namespace {

std::vector<MetricText> rows() {
  std::vector<MetricText> all;
  for (size_t i = 0; i < kMetricCount; ++i) all.push_back(text_of(static_cast<Metric>(i)));
  return all;
}

std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  return {std::istream_iterator<std::string>(in), {}};
}

TEST(MetricTable, NamesAreOursAndSaidOnce) {
  std::set<std::string_view> names;
  for (const MetricText& row : rows()) {
    EXPECT_TRUE(std::regex_match(std::string(row.name), std::regex("evs(_[a-z0-9]+)+"))) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
  }
}

TEST(MetricTable, ACounterEndsInTotalAndAUnitStandsInTheName) {
  for (const MetricText& row : rows()) {
    const std::string name(row.name);
    EXPECT_EQ(row.kind == Kind::counter, name.ends_with("_total")) << name;
    EXPECT_FALSE(row.unit.empty()) << name;
    const std::string stem = row.kind == Kind::counter ? name.substr(0, name.size() - 6) : name;
    for (const char* base : {"bytes", "seconds"}) EXPECT_EQ(row.unit == base, stem.ends_with(std::string("_") + base)) << name << " counts " << row.unit;
    // Base units alone: nobody has to know which power of ten a panel divides by.
    for (const char* other : {"_ms", "_ns", "_us", "_milliseconds", "_nanoseconds", "_kib", "_percent"}) EXPECT_FALSE(stem.ends_with(other)) << name;
  }
}

TEST(MetricTable, HelpIsASentence) {
  for (const MetricText& row : rows()) {
    EXPECT_GT(row.help.size(), 10u) << row.name;
    EXPECT_TRUE(row.help.ends_with(".")) << row.name;
    EXPECT_EQ(row.help.find('\n'), std::string_view::npos) << row.name;
  }
}

TEST(MetricTable, EveryLabelHasABound) {
  for (const MetricText& row : rows()) {
    std::set<std::string> mine;
    for (const std::string& label : words(row.labels)) {
      const auto known = std::find_if(std::begin(kLabels), std::end(kLabels), [&](const LabelText& text) { return text.name == label; });
      ASSERT_NE(known, std::end(kLabels)) << row.name << " has a label '" << label << "' that nobody bounds";
      EXPECT_TRUE(mine.insert(label).second) << row.name;
    }
  }
  size_t series = 0;
  for (const MetricText& row : rows()) {
    size_t most = row.kind == Kind::histogram ? kShownBuckets + 3 : 1;  // and one without an end, the sum, the count
    for (const LabelText& label : kLabels)
      if (const auto mine = words(row.labels); label.name != "directory" && std::count(mine.begin(), mine.end(), label.name) != 0) most *= label.most;
    series += most;
  }
  EXPECT_LE(series, 60'000u) << "of one exporter, with as many buses as it takes, each with an uplink";
}

// EVS_WRITE_REFERENCE=1 brings it up to date.
TEST(MetricTable, StandsInTheManualPage) {
  std::string path = EVS_SOURCE_DIR;
  path += "/docs/man/evs-metrics.7.scd";
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string page = read.str(), reference = metrics_reference_scd();
  const size_t begin = page.find("# METRICS\n"), end = page.find("; End of the metrics.\n");
  ASSERT_NE(begin, std::string::npos) << path;
  ASSERT_NE(end, std::string::npos) << path;
  if (std::getenv("EVS_WRITE_REFERENCE") != nullptr) {
    std::ofstream(path) << page.substr(0, begin) << reference << page.substr(end);
    GTEST_SKIP() << "wrote " << path;
  }
  EXPECT_TRUE(page.substr(begin, end - begin) == reference) << "the page differs from the table: run this test with EVS_WRITE_REFERENCE=1 in the environment";
}

}  // namespace
}  // namespace evs::metrics
