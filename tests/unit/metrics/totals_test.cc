// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/metrics/totals_test.cc - a total is what all who ever counted it came to.
#include "metrics/totals.h"

#include <gtest/gtest.h>

namespace evs::metrics {
namespace {

TEST(Totals, AnotherLifeIsAdded) {
  Totals totals;
  EXPECT_EQ(totals.follow("sent", "pid 1", 5), 5u);
  EXPECT_EQ(totals.follow("sent", "pid 1", 8), 8u);
  EXPECT_EQ(totals.follow("sent", "pid 2", 0), 8u);
  EXPECT_EQ(totals.follow("sent", "pid 2", 3), 11u);
  // More than the last one had: still another one's.
  EXPECT_EQ(totals.follow("sent", "pid 3", 100), 111u);
  EXPECT_EQ(totals.of("sent"), 111u);
  EXPECT_EQ(totals.of("received"), 0u);
}

TEST(Totals, WhatFellWithinALifeBeganAnew) {
  Totals totals;
  totals.follow("sent", "pid 1", 8);
  EXPECT_EQ(totals.follow("sent", "pid 1", 2), 10u);
}

TEST(Totals, WhatIsForgottenBeginsAtNought) {
  Totals totals;
  totals.follow("sent", "pid 1", 8);
  totals.forget("sent");
  EXPECT_EQ(totals.follow("sent", "pid 1", 9), 9u);
}

// The second says what the first had said two before: it is behind, and has not begun anew.
TEST(Totals, WhoIsLateWithTheSameCountAddsNothing) {
  Totals totals;
  totals.follow_latest("changes", "segment 1", 10);
  EXPECT_EQ(totals.follow_latest("changes", "segment 1", 8), 10u);
  EXPECT_EQ(totals.follow_latest("changes", "segment 1", 11), 11u);
  EXPECT_EQ(totals.follow_latest("changes", "segment 2", 1), 12u);
}

}  // namespace
}  // namespace evs::metrics
