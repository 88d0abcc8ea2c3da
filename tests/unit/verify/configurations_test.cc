// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/configurations_test.cc - W1 to W7, 2.1, 2.2: for each a story that is well, and one that only this
// predicate finds wrong. W8: configuration_lists_test.cc.
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

TEST(Configurations, ThreeHostsMeetAndPart) {
  Story s = three_hosts();
  part(s);
  settle(s);
  EXPECT_EQ(broken(s), "") << told(check(s.run));
  EXPECT_EQ(broken(s, {.quiescent = true}), "");
}

TEST(Configurations, AProcessOfALocalRingBeginsWithAllWhoAreThere) {
  Story s(Level::process);
  s.boot(1);
  s.reg({1}, "P", 1, {1});
  s.trans("t", {1});
  s.boot(2);
  s.reg("P2", 2, {1, 2});
  s.end({1, 2});
  EXPECT_EQ(broken(s, {.quiescent = true}), "");
}

TEST(Configurations, W1AHostBeginsAlone) {
  Story s;
  s.boot(1);
  s.boot(2);
  s.reg("R", 1, {1, 2});
  EXPECT_EQ(broken(s), "W1");
}

TEST(Configurations, W1NobodyBeginsInATransition) {
  Story s;
  s.boot(1);
  s.trans("t", {1});
  s.reg("R", 1, {1});
  EXPECT_EQ(broken(s), "W1");
}

TEST(Configurations, W2RegularAfterRegular) {
  Story s;
  s.boot(1);
  s.reg("R", 1, {1});
  s.reg("S", 2, {1});
  EXPECT_EQ(broken(s), "W2");
}

TEST(Configurations, W2ATransitionClosesWhatWasBeforeIt) {
  Story s;
  s.boot(1);
  s.reg("R", 1, {1});
  s.trans("t", {1});
  s.of(1).configurations.back().regular = s.name("elsewhere");
  s.reg("S", 2, {1});
  EXPECT_EQ(broken(s), "W2");
}

TEST(Configurations, W3WhoInstallsIsAMember) {
  Story s;
  s.boot(1);
  s.reg({1}, "R", 1, {2});
  EXPECT_EQ(broken(s), "W3");
}

TEST(Configurations, W4OneNameIsOneConfiguration) {
  for (const char* what : {"members", "ring_seq"}) {
    Story s = three_hosts();
    Configuration& at2 = s.of(2).configurations.back();
    if (what == std::string("members"))
      at2.members = {1, 2};
    else
      at2.ring_seq = 6;
    EXPECT_EQ(broken(s), "W4") << what;
  }
}

TEST(Configurations, W4TheOrderOfMembersIsNothing) {
  Story s = three_hosts();
  s.of(2).configurations.back().members = {3, 1, 2};
  EXPECT_EQ(broken(s), "");
}

TEST(Configurations, W5TheRingSequenceRises) {
  Story s;
  s.boot(1);
  s.reg("R", 4, {1});
  s.trans("t", {1});
  s.reg("S", 4, {1});
  EXPECT_EQ(broken(s), "W5");
}

TEST(Configurations, W5TheRingSequenceSurvivesACrash) {
  for (const uint64_t after : {9u, 7u}) {
    Story s;
    s.boot(1);
    s.reg("R", 8, {1});
    s.of(1).fail();
    s.boot(1, 2);
    s.reg("S", after, {1});
    EXPECT_EQ(broken(s), after == 9 ? "" : "W5");
  }
}

TEST(Configurations, W6ATransitionHoldsMembersOfWhatItCloses) {
  Story s = three_hosts();
  part(s);
  s.of(3).configurations.back().members = {3, 4};
  s.reg("S", 9, {1, 2});
  EXPECT_EQ(broken(s), "W6");
}

TEST(Configurations, W6WhoIsInATransitionGoesOn) {
  Story s = three_hosts();
  part(s);
  s.reg({1}, "S", 9, {1});
  s.end({1, 2, 3});
  EXPECT_EQ(broken(s), "W6");
}

// Mutant M3: a transitional configuration made of those who are in both, without asking where they come from.
TEST(Configurations, W6WhoWasElsewhereInBetweenIsNoCompanion) {
  for (const bool mutant : {false, true}) {
    Story s = three_hosts();
    s.trans("U", {3});  // 3 was alone for a while
    s.reg("Q", 8, {3});
    if (mutant)
      s.trans({1, 2}, "T", {1, 2, 3});
    else
      s.trans("T", {1, 2});
    s.trans("V", {3});
    s.reg("S", 9, {1, 2, 3});
    EXPECT_EQ(broken(s), mutant ? "W6" : "");
  }
}

TEST(Configurations, W6ACompanionIsNotForgotten) {
  Story s = three_hosts();
  s.trans({1, 2}, "T", {1, 2});
  s.trans({3}, "U", {3});
  s.reg("S", 9, {1, 2, 3});
  EXPECT_EQ(broken(s), "W6");
}

TEST(Configurations, W6ACrashedCompanionComesBackAsAnother) {
  for (const bool mutant : {false, true}) {
    Story s = three_hosts();
    s.of(3).fail();
    s.boot(3, 2);
    s.reg("c2", 6, {3});
    s.trans("tc2", {3});
    s.trans({1, 2}, "T", mutant ? Nodeids{1, 2, 3} : Nodeids{1, 2});
    s.reg("S", 9, {1, 2, 3});
    EXPECT_EQ(broken(s), mutant ? "W6" : "");
  }
}

TEST(Configurations, W7OneTransitionHasOneGoal) {
  Story s = three_hosts();
  s.trans("T", {1, 2, 3});
  s.reg({1, 2}, "S", 9, {1, 2, 3});
  s.reg({3}, "Q", 10, {1, 2, 3});
  EXPECT_EQ(broken(s), "W7");
}

TEST(Configurations, W7DeathHasNoGoal) {
  Story s = three_hosts();
  s.trans("T", {1, 2, 3});
  s.of(3).fail();
  s.reg({1, 2}, "S", 9, {1, 2, 3});
  EXPECT_EQ(broken(s), "");
}

TEST(Configurations, TwoOneAskedAtRestOnly) {
  Story s = three_hosts();
  s.of(3).fail();
  s.end({1, 2});
  EXPECT_EQ(broken(s), "");
  EXPECT_EQ(broken(s, {.quiescent = true}), "2.1");
}

TEST(Configurations, TwoOneAMemberThatMovedOn) {
  Story s = three_hosts();
  s.trans("U", {3});
  s.reg("Q", 8, {3});
  s.end({1, 2, 3});
  EXPECT_EQ(broken(s, {.quiescent = true}), "2.1");
}

TEST(Configurations, TwoOneAMemberWithoutATrace) {
  Story s;
  s.boot(1);
  s.reg("a", 1, {1});
  s.trans("t", {1});
  s.reg({1}, "R", 2, {1, 2});
  s.end({1});
  EXPECT_EQ(broken(s, {.quiescent = true}), "2.1");
  EXPECT_EQ(broken(s, {.quiescent = true, .partial = true}), "");
}

TEST(Configurations, TwoTwoADeliveryNamesWhereItStands) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2, 3}, "R", {1});
  EXPECT_EQ(broken(s), "");
  s.last(2).conf = s.name("b");
  EXPECT_EQ(broken(s), "2.2");
}

TEST(Configurations, TwoTwoNothingIsSentInATransition) {
  Story s = three_hosts();
  part(s);
  s.send(1, 1);
  s.deliver({1, 2}, "R", {1});
  settle(s);
  EXPECT_EQ(broken(s), "2.2");
}

TEST(Configurations, TwoTwoPrimaryIsSaidOfTheRegularOneInForce) {
  Story s = three_hosts();
  s.of(1).prim(s.name("R"));
  EXPECT_EQ(broken(s), "");
  part(s);
  s.of(1).prim(s.name("R"));
  EXPECT_EQ(broken(s), "2.2");
}

TEST(Configurations, TwoTwoNothingAfterTheEnd) {
  Story s = three_hosts();
  s.of(1).fail();
  part(s);
  EXPECT_EQ(broken(s), "2.2");
}

}  // namespace
}  // namespace evs::verify
