// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/delivery_test.cc - 1.1 to 1.5, 2.3, 3, 4, 5, 6, 7, L1, L2: for each a story that is well, and one that
// only this predicate finds wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

using testing::HasSubstr;

// --- 1: basic delivery

TEST(Delivery, AMessageOfEachService) {
  Story s = three_hosts();
  s.send(1, 1, Service::unordered);
  s.send(1, 2, Service::fifo);
  s.send(2, 3, Service::agreed);
  s.send(3, 4, Service::safe);
  s.deliver({1, 2, 3}, "R", {1, 2, 3, 4});
  part(s);
  settle(s);
  EXPECT_EQ(broken(s, {.quiescent = true}), "") << told(check(s.run, {.quiescent = true}));
}

TEST(Delivery, OneOneNothingHappensBeforeItself) {
  Story s = three_hosts();
  // 1 delivers what 2 sends after it delivered what 1 sends after that. Unordered, so that no order is promised.
  s.send(2, 2, Service::unordered);
  s.deliver(1, "R", 2);
  s.send(1, 1, Service::unordered);
  EXPECT_EQ(broken(s), "");
  std::vector<Event>& two = s.of(2).events;
  Story helper = s;  // its delivery, put before 2's sending
  helper.deliver(2, "R", 1);
  two.insert(two.end() - 1, helper.last(2));
  EXPECT_EQ(broken(s), "1.1");
  EXPECT_THAT(told(check(s.run)), HasSubstr("before itself"));
}

TEST(Delivery, OneTwoNobodySentIt) {
  Story s = three_hosts();
  s.of(1).deliver(s.name("R"), s.name("R"), 7, Service::agreed, {2, 1}, 99);
  EXPECT_EQ(broken(s), "1.2");
}

TEST(Delivery, OneTwoADeliveryInAnotherConfiguration) {
  Story s = three_hosts();
  s.send(3, 1);
  s.deliver({3}, "R", {1});
  part(s);
  s.reg("S", 9, {1, 2});
  EXPECT_EQ(broken(s), "");
  s.deliver(1, "R", 1);
  EXPECT_EQ(broken(s), "1.2");
}

TEST(Delivery, OneTwoAnotherSenderIsNamed) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2, 3}, "R", {1});
  s.last(3).sender = {2, 1};
  EXPECT_EQ(broken(s), "1.2");
  s.last(3).sender = {1, 0};  // its incarnation is not known
  EXPECT_EQ(broken(s), "");
  s.last(3).sender = {1, 2};
  EXPECT_EQ(broken(s), "1.2");
}

TEST(Delivery, OneTwoNotBeforeItsSending) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver(1, "R", 1);
  std::swap(s.of(1).events.end()[-1], s.of(1).events.end()[-2]);
  EXPECT_EQ(broken(s), "1.2");
}

TEST(Delivery, OneTwoAProcessMayDieBeforeItReadsWhatItSent) {
  for (const Level level : {Level::host, Level::process}) {
    Story s(level);
    s.boot(1);
    s.reg({1}, "R", 1, {1});
    s.trans("t", {1});
    s.boot(2);
    s.reg({2}, "b", 1, {2});
    s.trans("u", {2});
    s.reg("S", 2, {1, 2});
    s.of(1).deliver(s.name("S"), s.name("S"), 1, Service::agreed, {2, 1}, 99);
    s.of(2).fail();
    EXPECT_EQ(broken(s), level == Level::host ? "1.2" : "");
  }
}

TEST(Delivery, OneTwoAMissingTraceIsNoProof) {
  Story s(Level::process);
  s.boot(1);
  s.reg({1}, "R", 1, {1, 2});
  s.of(1).deliver(s.name("R"), s.name("R"), 1, Service::safe, {2, 1}, 99);
  s.end({1});
  EXPECT_EQ(broken(s), "1.2 7.2");
  EXPECT_EQ(broken(s, {.partial = true}), "");
}

TEST(Delivery, OneThreeAStampIsUsedOnce) {
  Story s = three_hosts();
  s.send(1, 1, Service::unordered);
  s.send(2, 1, Service::unordered);
  EXPECT_EQ(broken(s), "1.3");
}

TEST(Delivery, OneThreeOneStampOneContent) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2, 3}, "R", {1});
  Story service = s;
  s.last(2).hash = 4711;
  EXPECT_EQ(broken(s), "1.3");
  s.last(2).hash = 0;  // not taken
  EXPECT_EQ(broken(s), "");
  service.last(2).service = Service::fifo;
  EXPECT_EQ(broken(service), "1.3");
}

TEST(Delivery, OneThreeOneContentOneStamp) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(1, 2);
  s.last(1).hash = s.of(1).events.end()[-2].hash;
  EXPECT_EQ(broken(s), "1.3");
}

TEST(Delivery, OneThreeOneSubmissionOneStamp) {
  Story s = three_hosts();
  s.send(1, 1, Service::agreed, 70);
  s.send(1, 2, Service::agreed, 71);
  EXPECT_EQ(broken(s), "");
  s.last(1).submission = 70;
  EXPECT_EQ(broken(s), "1.3");
}

TEST(Delivery, OneFourOnce) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2, 3}, "R", {1});
  s.deliver(2, "R", 1);
  EXPECT_EQ(broken(s), "1.4");
}

TEST(Delivery, OneFourOnceInAllIncarnations) {
  Story s(Level::process);
  s.boot(1);
  s.boot(2);
  s.reg("R", 1, {1, 2});
  s.send(1, 1);
  s.deliver({1, 2}, "R", {1});
  s.of(2).fail();
  s.boot(2, 2);
  s.reg({2}, "S", 2, {2});
  s.deliver(2, "R", 1);
  EXPECT_EQ(broken(s), "1.2 1.4");
}

TEST(Delivery, OneFiveTheSenderIsAMember) {
  Story s(Level::process);
  s.boot(1);
  s.boot(2);
  s.reg({1}, "R", 1, {1});
  s.reg({2}, "R", 1, {1});  // 2 believes to be in it (W3), and sends there
  s.send(2, 1);
  s.deliver(1, "R", 1);
  EXPECT_EQ(broken(s), "1.5 W3");
}

// --- 2.3 and 2.4

TEST(Delivery, TwoThreeAConfigurationIsOneMoment) {
  Story s(Level::process);
  for (const uint32_t p : {1u, 2u, 3u}) s.boot(p);
  s.reg("R", 1, {1, 2, 3});
  s.trans("T", {1, 2, 3});
  s.reg({1}, "S", 2, {1, 2, 3});
  s.send(1, 1, Service::unordered);
  s.reg({2}, "S", 2, {1, 2, 3});
  s.deliver(2, "S", 1);
  EXPECT_EQ(broken(s), "");
  // 3 goes through S and to V; 1 was told of V's message while it was still in R.
  s.reg({3}, "S", 2, {1, 2, 3});
  s.trans({3}, "W", {3});
  s.reg({3}, "V", 3, {3});
  s.send(3, 1, Service::unordered);
  Story later = s;
  later.deliver(1, "V", 1);
  auto& one = s.of(1).events;
  one.insert(one.begin() + 1, later.last(1));
  one[1].conf = s.name("R");
  EXPECT_EQ(broken(s), "1.2 2.3");  // no message can show it but one in a configuration that is not its own
}

// --- 3

TEST(Delivery, ThreeWhatISentIDeliver) {
  Story s = three_hosts();
  s.send(3, 1);
  Story partly = s;
  part(s);
  s.deliver(3, "R", 1);  // alone
  settle(s);
  EXPECT_EQ(broken(s), "");
  part(partly);
  settle(partly);
  EXPECT_EQ(broken(partly), "3");
}

TEST(Delivery, ThreeDeathExcuses) {
  Story s = three_hosts();
  s.send(3, 1);
  s.of(3).fail();
  EXPECT_EQ(broken(s), "");
}

// --- 4

TEST(Delivery, FourWhoGoesOnTogetherHasDeliveredTheSame) {
  Story s = three_hosts();
  s.send(3, 1);
  s.deliver({1, 3}, "R", {1});
  part(s);
  settle(s);
  EXPECT_EQ(broken(s), "4");
}

TEST(Delivery, FourIsAskedOfEachConfigurationAlone) {
  Story s = three_hosts();
  s.send(3, 1, Service::fifo);  // an agreed one would have no place in the order either: 6.1
  s.deliver({1, 3}, "R", {1});
  part(s);
  s.deliver(2, "R", 1);  // in T, and 1 in R
  settle(s);
  EXPECT_EQ(broken(s), "4");
}

TEST(Delivery, FourSaysNothingOfThoseWhoPart) {
  Story s = three_hosts();
  s.send(1, 1);
  s.deliver({1, 2}, "R", {1});
  part(s);
  settle(s);
  EXPECT_EQ(broken(s), "");
}

// --- 5

TEST(Delivery, FiveACauseIsNotMissing) {
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

TEST(Delivery, FiveACauseComesFirst) {
  Story s = three_hosts();
  s.send(1, 1, Service::fifo);
  s.deliver({1, 2}, "R", {1});
  s.send(2, 2);
  s.deliver({1, 2}, "R", {2});
  s.deliver({3}, "R", {2, 1});
  EXPECT_EQ(broken(s), "5");
}

TEST(Delivery, FiveThroughACauseOfACause) {
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

TEST(Delivery, FiveFifoOfOneSender) {
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

TEST(Delivery, FiveUnorderedIsPromisedNothing) {
  Story s = three_hosts();
  s.send(1, 1, Service::unordered);
  s.send(1, 2, Service::unordered);
  s.send(1, 3);
  s.deliver({3}, "R", {3, 2, 1});
  EXPECT_EQ(broken(s), "");
}

// --- 6

TEST(Delivery, SixOneOneOrder) {
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
TEST(Delivery, SixOneEarlyDeliveriesArePartOfNoOrder) {
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

TEST(Delivery, SixOneAllAgainstTheStamps) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2, 3}, "R", {2, 1});
  const auto violations = check(s.run);
  EXPECT_EQ(broken(violations), "6.1");
  EXPECT_EQ(violations.size(), 3u);
}

TEST(Delivery, SixTwoNoGapInARegularConfiguration) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2}, "R", {1, 2});
  s.deliver(3, "R", 2);
  EXPECT_EQ(broken(s), "6.2");
}

TEST(Delivery, SixTwoWhoIsGoneMayLeaveAGapInATransition) {
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

TEST(Delivery, SixTwoWhatNobodyDeliveredIsNoGap) {
  Story s = three_hosts();
  s.send(1, 1);
  s.send(2, 2);
  s.deliver({1, 2, 3}, "R", {2});
  EXPECT_EQ(broken(s), "");
}

// --- 7

TEST(Delivery, SevenOneEveryMemberDeliversIt) {
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

TEST(Delivery, SevenOneAloneIsWellToo) {
  Story s = three_hosts();
  s.send(1, 1, Service::safe);
  s.deliver({1, 2}, "R", {1});
  part(s);
  s.deliver(3, "R", 1);
  settle(s);
  EXPECT_EQ(broken(s), "");
}

TEST(Delivery, SevenOneDeathExcuses) {
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

TEST(Delivery, SevenOneAskedAtRestOfThoseStillThere) {
  Story s = three_hosts();
  s.send(1, 1, Service::safe);
  s.deliver({1, 2}, "R", {1});
  s.end({1, 2, 3});
  EXPECT_EQ(broken(s), "");
  EXPECT_EQ(broken(s, {.quiescent = true}), "7.1");
}

TEST(Delivery, SevenTwoEveryMemberInstallsIt) {
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

// --- liveness

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
