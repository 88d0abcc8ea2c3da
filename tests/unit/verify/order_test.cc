// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/order_test.cc - 5, 6, 7: for each a story that is well, and one that only this predicate finds
// wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

using testing::HasSubstr;

// --- 5

TEST(Order, FiveACauseIsNotMissing) {
  Story s = three_hosts();
  s.send(1, 1, Service::fifo);
  s.deliver({1, 2}, "R", {1});
  s.send(2, 2);
  s.deliver({1, 2}, "R", {2});
  Story well = s;
  s.deliver(3, "R", 2);
  EXPECT_EQ(broken(s), "5");
  well.deliver({3}, "R", {1, 2});
  EXPECT_EQ(broken(well), "");
}

TEST(Order, FiveACauseComesFirst) {
  Story s = three_hosts();
  s.send(1, 1, Service::fifo);
  s.deliver({1, 2}, "R", {1});
  s.send(2, 2);
  s.deliver({1, 2}, "R", {2});
  s.deliver({3}, "R", {2, 1});
  EXPECT_EQ(broken(s), "5");
}

TEST(Order, FiveThroughACauseOfACause) {
  Story s = three_hosts();
  s.send(1, 1, Service::fifo);
  s.deliver({1, 2}, "R", {1});
  s.send(2, 2);
  s.deliver({1, 2}, "R", {2});
  s.send(1, 3);
  s.deliver({1, 2}, "R", {3});
  s.deliver({3}, "R", {2, 3});
  const auto violations = check(s.run);
  ASSERT_EQ(broken(violations), "5");
  EXPECT_EQ(violations.size(), 2u);  // R/2 lacks R/1, and so does R/3, which the sender of R/1 sent later
}

TEST(Order, FiveFifoOfOneSender) {
  Story s = three_hosts();
  s.send(1, 1, Service::fifo);
  s.send(1, 2, Service::fifo);
  s.send(2, 3, Service::fifo);
  s.deliver(1, "R", 1);
  s.deliver(2, "R", 3);
  Story well = s;
  s.deliver({3}, "R", {2, 1, 3});
  EXPECT_EQ(broken(s), "5");
  well.deliver({3}, "R", {3, 1, 2});
  EXPECT_EQ(broken(well), "");
}

TEST(Order, FiveUnorderedIsPromisedNothing) {
  Story s = three_hosts();
  s.send(1, 1, Service::unordered);
  s.send(1, 2, Service::unordered);
  s.send(1, 3);
  s.deliver({3}, "R", {3, 2, 1});
  EXPECT_EQ(broken(s), "");
}

// --- 6

TEST(Order, SixOneOneOrder) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2}, "R", {1, 2});
  s.deliver({3}, "R", {2, 1});
  const auto violations = check(s.run);
  EXPECT_EQ(broken(violations), "6.1");
  EXPECT_EQ(violations.size(), 2u);  // the circle, and the stamps
  EXPECT_THAT(told(violations), HasSubstr("no one order"));
}

// The sender of R/2 had R/1, its cause; 3 delivers it on arrival, and R/1 in its turn.
TEST(Order, SixOneEarlyDeliveriesArePartOfNoOrder) {
  for (const Service service : {Service::unordered, Service::fifo}) {
    Story s = three_hosts();
    s.send(1, 1);
    s.deliver({1, 2}, "R", {1});
    s.send(2, 2, service);
    s.deliver({1, 2}, "R", {2});
    s.deliver({3}, "R", {2, 1});
    EXPECT_EQ(broken(s), "");
  }
}

TEST(Order, SixOneAllAgainstTheStamps) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2, 3}, "R", {2, 1});
  const auto violations = check(s.run);
  EXPECT_EQ(broken(violations), "6.1");
  EXPECT_EQ(violations.size(), 3u);
}

TEST(Order, SixTwoNoGapInARegularConfiguration) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2}, "R", {1, 2});
  s.deliver(3, "R", 2);
  EXPECT_EQ(broken(s), "6.2");
}

TEST(Order, SixTwoWhoIsGoneMayLeaveAGapInATransition) {
  for (const bool of_member : {false, true}) {
    Story s = three_hosts();
    s.send(of_member ? 2 : 3, 1);  // only its sender, who is cut off, or a companion, has it
    s.send(1, 2);
    s.deliver(3, "R", 1);
    part(s);
    s.deliver({1, 2}, "R", {2});
    settle(s);
    EXPECT_EQ(broken(s), of_member ? "3 6.2" : "");
  }
}

TEST(Order, SixTwoWhatNobodyDeliveredIsNoGap) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2, 3}, "R", {2});
  EXPECT_EQ(broken(s), "");
}

// --- 7

TEST(Order, SevenOneEveryMemberDeliversIt) {
  for (const bool early : {false, true}) {
    Story s = three_hosts();
    s.send(1, 1, Service::safe);
    if (early) s.deliver({1, 2}, "R", {1});  // mutant M1: before 3 said that it has it
    part(s);
    if (!early) s.deliver({1, 2}, "R", {1});
    settle(s);
    EXPECT_EQ(broken(s), early ? "7.1" : "");
  }
}

// Mutants M2 and M14. R/1 is lost with its sender. 2 and 3 told each other that they hold everything else, and 2 went on;
// 3 was cut off before it could, and still owes R/2, over the gap and without its sender.
TEST(Order, SevenOneAPromiseOutlivesTheAttempt) {
  for (const bool forgotten : {false, true}) {
    Story s = three_hosts();
    s.send(1, 1);
    s.deliver(1, "R", 1);
    s.of(1).fail();
    s.send(2, 2, Service::safe);
    s.trans({2}, "T", {2, 3});
    s.deliver(2, "R", 2);
    s.reg({2}, "S", 9, {2, 3});
    s.trans({3}, "U", {3});
    if (!forgotten) s.deliver(3, "R", 2);
    s.reg({3}, "Q", 10, {3});
    EXPECT_EQ(broken(s), forgotten ? "7.1" : "");
  }
}

TEST(Order, SevenOneAloneIsWellToo) {
  Story s = three_hosts();
  s.send(1, 1, Service::safe);
  s.deliver({1, 2}, "R", {1});
  part(s);
  s.deliver(3, "R", 1);
  settle(s);
  EXPECT_EQ(broken(s), "");
}

TEST(Order, SevenOneDeathExcuses) {
  Story s = three_hosts();
  s.send(1, 1, Service::safe);
  s.deliver({1, 2}, "R", {1});
  s.of(3).fail();
  s.boot(3, 2);
  s.reg("c2", 6, {3});
  s.trans("T", {1, 2});
  s.reg("S", 9, {1, 2});
  EXPECT_EQ(broken(s), "");
}

TEST(Order, SevenOneAskedAtRestOfThoseStillThere) {
  Story s = three_hosts();
  s.send(1, 1, Service::safe);
  s.deliver({1, 2}, "R", {1});
  s.end({1, 2, 3});
  EXPECT_EQ(broken(s), "");
  EXPECT_EQ(broken(s, {.quiescent = true}), "7.1");
}

TEST(Order, SevenTwoEveryMemberInstallsIt) {
  Story s;
  s.boot(1);
  s.boot(2);
  s.reg("a", 1, {1});
  s.reg("b", 1, {2});
  s.trans("ta", {1});
  s.reg({1}, "R", 5, {1, 2});
  s.send(1, 1, Service::safe);
  s.deliver(1, "R", 1);
  Story died = s;
  died.of(2).fail();
  EXPECT_EQ(broken(died), "");
  s.trans("tb", {2});
  s.reg({2}, "Q", 6, {2});
  EXPECT_EQ(broken(s), "7.2");
}

}  // namespace
}  // namespace evs::verify
