// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/tools_counters_test.cc - `evs status --counters`: the names and words of the table, whatever has come to more than nothing.
#include "tools/evs/status_counters.h"

#include <gtest/gtest.h>

#include "metrics/table.h"
#include "tools/evs/json.h"

namespace evs::tools {
namespace {

using metrics::Metric;
using metrics::Sample;

std::vector<Sample> some() {
  std::vector<uint64_t> took(metrics::kShownBuckets + 1, 4);
  took[0] = 0, took[1] = 2, took[2] = 3;  // two under 256 ns, one under 512 ns, one under 1024 ns
  return {{Metric::members, {"b", "/d"}, 3, {}},
          {Metric::ring_full, {"b", "/d", "order"}, 0, {}},
          {Metric::dispatch_callback, {"b", "/d"}, 0.0000016, took},
          {Metric::delivered_messages, {"b", "/d", "safe"}, 12, {}}};
}

TEST(Counters, AreToldInTheWordsOfTheTable) {
  const std::string text = counters_text(some(), Palette(false));
  const metrics::MetricText& callbacks = metrics::text_of(Metric::dispatch_callback);
  EXPECT_NE(text.find("  " + std::string(callbacks.name) + "  " + std::string(callbacks.help) + "\n    4, mean 400 ns, 50 % under 256 ns, 99 % under 1.02 us\n"), std::string::npos) << text;
  EXPECT_NE(text.find("evs_delivered_messages_total"), std::string::npos);
  EXPECT_NE(text.find("\n    safe  12\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("evs_ring_full_total"), std::string::npos) << "it is nothing";
  EXPECT_EQ(text.find("evs_members"), std::string::npos) << "it is no count";
  EXPECT_NE(counters_text({}, Palette(false)).find("nothing"), std::string::npos);
}

TEST(Counters, AreAllThereForPrograms) {
  const Json json = counters_json(some());
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(json[0]["name"], "evs_ring_full_total");
  EXPECT_EQ(json[0]["labels"], (Json{{"ring", "order"}}));
  EXPECT_EQ(json[0]["value"], 0);
  EXPECT_EQ(json[1]["count"], 4);
  EXPECT_EQ(json[1]["buckets"].size(), metrics::kShownBuckets);
  EXPECT_EQ(json[1]["buckets"][1], (Json{{"under_ns", 256}, {"count", 2}}));
  EXPECT_DOUBLE_EQ(json[1]["sum_seconds"].get<double>(), 0.0000016);
}

TEST(Counters, WordsForALine) {
  EXPECT_EQ(metrics::words_of(Metric::dropped_packets), "dropped packets");
  EXPECT_EQ(metrics::words_of(Metric::dispatch_callback), "dispatch callback seconds");
}

}  // namespace
}  // namespace evs::tools
