// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/liveness_test.cc - L1, L2, and what is told of what was found.
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

TEST(Liveness, L1TheConnectedShareAConfiguration) {
  Story s = three_hosts();
  part(s);
  settle(s);
  EXPECT_EQ(broken(check_liveness(s.run, {{1, 2}, {3}})), "");
  EXPECT_EQ(broken(check_liveness(s.run, {{1, 2, 3}})), "L1");
}

TEST(Liveness, L1RestIsInARegularConfiguration) {
  Story s = three_hosts();
  part(s);
  s.end({1, 2, 3});
  EXPECT_EQ(broken(check_liveness(s.run, {{3}})), "L1");
}

TEST(Liveness, L2WhatIsSubmittedArrives) {
  Story s = three_hosts();
  s.of(1).submit(70);
  Story unsent = s;
  s.send(1, 1, Service::agreed, 70);
  s.deliver({1, 2}, "R", {1});
  Story lost = s;
  s.deliver(3, "R", 1);
  for (Story* story : {&s, &unsent, &lost}) story->end({1, 2, 3});
  EXPECT_EQ(broken(check_liveness(s.run, {{1, 2, 3}})), "");
  EXPECT_EQ(broken(check_liveness(unsent.run, {{1, 2, 3}})), "L2");
  EXPECT_EQ(broken(check_liveness(lost.run, {{1, 2, 3}})), "L2");
}

TEST(Liveness, L2TheDeadOweNothing) {
  Story s = three_hosts();
  s.of(3).submit(70);
  s.of(3).fail();
  part(s);
  EXPECT_EQ(broken(check_liveness(s.run, {{3}})), "");
}

// --- what is told

TEST(Findings, TellWhereAndWhat) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2, 3}, "R", {1});
  s.deliver(2, "R", 1);
  EXPECT_EQ(told(check(s.run)),
            "1.4: 2.1 delivers R/1 twice.\n"
            "    2.1 #3  deliver conf=R ring=R seq=1 service=agreed sender=1.1 hash=1\n"
            "    2.1 #4  deliver conf=R ring=R seq=1 service=agreed sender=1.1 hash=1\n");
}

TEST(Findings, ALimitLeavesRoomForEachPredicate) {
  Story s = three_hosts();
  for (uint64_t seq = 1; seq <= 50; ++seq) {
    s.send(1, seq);
    s.deliver({1, 2, 3}, "R", {seq, seq});
  }
  s.last(3).conf = s.name("c");
  const auto violations = check(s.run, {.limit = 10});
  EXPECT_EQ(violations.size(), 10u);
  EXPECT_EQ(broken(violations), "1.4 2.2");
  EXPECT_TRUE(check(s.run, {.limit = 0}).empty());
}

}  // namespace
}  // namespace evs::verify
