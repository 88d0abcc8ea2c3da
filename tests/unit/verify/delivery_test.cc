// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/delivery_test.cc - 1.1 to 1.5, 2.3, 3, 4: for each a story that is well, and one that only this
// predicate finds wrong.
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

}  // namespace
}  // namespace evs::verify
