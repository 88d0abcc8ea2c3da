// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/metrics/told_counts_test.cc - each reason that the gateway counts by is one that the exporter asks for, by the same name.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "bus/ordering/output.h"
#include "bus/runtime/sealing/format.h"
#include "metrics/told_counts.h"

namespace evs::metrics {
namespace {

// As the gateway writes it, and asked for under its reason.
void expect_asked_for(Metric metric, const std::string& what, std::string reason) {
  std::replace(reason.begin(), reason.end(), ' ', '_');
  const std::string name = what + "_" + reason + "_total";
  EXPECT_TRUE(std::any_of(std::begin(kToldCounts), std::end(kToldCounts), [&](const ToldCount& count) {
    return count.metric == metric && count.name == name && count.reason == reason;
  })) << name;
  EXPECT_NE(std::string(text_of(metric).help).find(reason), std::string::npos) << reason << " is not explained";
}

template <class Why>
void expect_all_asked_for(Metric metric, const char* what) {
  for (size_t i = 0; i < static_cast<size_t>(Why::count_); ++i) expect_asked_for(metric, what, name_of(static_cast<Why>(i)));
}

TEST(ToldCounts, HaveEachReasonOfTheRing) {
  expect_all_asked_for<ordering::Drop>(Metric::ignored_packets, "ignored");
  expect_all_asked_for<ordering::Why>(Metric::gatherings, "gathered");
}

TEST(ToldCounts, HaveEachReasonOfASeal) {
  using runtime::sealing::Refusal;
  for (size_t i = 1; i < runtime::sealing::kRefusals; ++i)
    if (const auto why = static_cast<Refusal>(i); why != Refusal::echo) expect_asked_for(Metric::dropped_packets, "refused", name_of(why));
}

}  // namespace
}  // namespace evs::metrics
