// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/ordered_path_test.cc - stories over a medium that orders by itself (docs/protocol.md, "Over an ordered medium").
#include <algorithm>

#include "tests/unit/ordering/ordered_world.h"

namespace evs::ordering {
namespace {

using Ids = OrderedStory::Ids;

TEST(OrderedPath, HostsBeginAloneAndComeTogetherWhenAllStatesAreThere) {
  OrderedStory story(3);
  EXPECT_EQ(story.log(1), "view 1|");
  story.membership(kAll, kAll, kAll);
  story.order(1, kAll);
  story.order(2, kAll);
  EXPECT_EQ(story.log(1), "");
  story.order(3, kAll);
  for (const HostId id : kAll) {
    EXPECT_EQ(story.path(id).ring(), story.path(1).ring());
    EXPECT_GE(story.stored(id), story.path(1).ring().sequence);
  }
  EXPECT_EQ(story.log(1), "trans 1|view 1 2 3|");
  EXPECT_EQ(story.states, 3u);
}

TEST(OrderedPath, NobodySpeaksBeforeItHasInstalled) {
  OrderedStory story(2);
  EXPECT_EQ(story.submit(1, Service::agreed, "early"), Submitted::ok);
  EXPECT_EQ(story.unread(1), 0u);
  story.membership(kTwo, kTwo, kTwo);
  story.order(1, kTwo);
  EXPECT_EQ(story.unread(1), 0u);
  story.order(2, kTwo);
  EXPECT_EQ(story.unread(1), 1u);
  story.settle(kTwo);
  EXPECT_EQ(story.log(2), "view 2|trans 2|view 1 2|early|");
}

TEST(OrderedPath, SafeWaitsForAllAndAgreedBehindItToo) {
  OrderedStory story(3);
  story.together(kAll);
  story.submit(1, Service::safe, "s");
  story.submit(2, Service::agreed, "a");
  story.order(1, kAll);
  story.order(2, kAll);  // sent before its sender had read s: acknowledges nothing
  EXPECT_EQ(story.log(3), "");
  story.tick(kAll);
  story.order(1, kAll);
  story.order(2, kAll);
  EXPECT_EQ(story.log(3), "") << "its own acknowledgement counts where it stands in the order, as at the others";
  story.order(3, kAll);
  for (const HostId id : kAll) EXPECT_EQ(story.log(id), "s|a|");
}

TEST(OrderedPath, FifoAndUnorderedWaitForNobodyElsesSafe) {
  OrderedStory story(2);
  story.together(kTwo);
  story.submit(1, Service::safe, "s");
  story.submit(1, Service::fifo, "own");
  story.submit(1, Service::unordered, "u");
  story.submit(2, Service::fifo, "other");
  for (int i = 0; i < 3; ++i) story.order(1, kTwo);
  story.order(2, kTwo);
  EXPECT_EQ(story.log(2), "u|other|");
  story.settle(kTwo);
  EXPECT_EQ(story.log(2), "s|own|");
}

TEST(OrderedPath, NoAcknowledgementWhereNobodyWaits) {
  OrderedStory story(3);
  story.together(kAll);
  for (const Service service : {Service::unordered, Service::fifo, Service::agreed})
    for (int i = 0; i < 20; ++i) story.submit(1, service, "m");
  story.settle(kAll);
  EXPECT_EQ(story.acknowledgements, 0u);
}

TEST(OrderedPath, ABatchOfSafeCostsOneAcknowledgementAHost) {
  OrderedStory story(3);
  story.together(kAll);
  for (int i = 0; i < 20; ++i) story.submit(1, Service::safe, "m");
  while (story.unread(1) != 0) story.order(1, kAll);
  story.submit(2, Service::agreed, "speaks");  // and acknowledges with it
  story.settle(kAll);
  EXPECT_EQ(story.acknowledgements, 2u);
  EXPECT_NE(story.log(3).find("m|speaks|"), std::string::npos);
}

TEST(OrderedPath, WhatAllHaveReadIsDeliveredBehindTheEndEvenAlone) {
  OrderedStory story(2);
  story.together(kTwo);
  story.submit(1, Service::safe, "s");
  story.submit(1, Service::agreed, "a");
  story.order(1, kTwo);
  story.order(1, kTwo);
  story.membership({2}, {2}, {}, {1});
  story.settle({2});
  EXPECT_EQ(story.log(2), "trans 2|s|a|view 2|");
}

TEST(OrderedPath, ACutMessageIsSaidAgainWholeInTheNextConfiguration) {
  OrderedStory story(2);
  story.together(kTwo);
  story.submit(1, Service::agreed, std::string(3000, 'y'));
  story.order(1, kTwo);                      // the first fragment
  story.start(3);
  story.membership(kTwo, kAll, {3});
  story.membership({3}, kAll, kAll);
  story.settle(kAll);                        // the others stand behind the change
  for (const HostId id : kTwo) EXPECT_EQ(story.log(id), "trans 1 2|view 1 2 3|yyy...3000|");
  EXPECT_EQ(story.log(3), "view 3|trans 3|view 1 2 3|yyy...3000|") << "who comes anew has all of it";
}

TEST(OrderedPath, AnInterruptedExchangeInstallsNothing) {
  OrderedStory story(3);
  story.together(kAll);
  story.membership(kAll, kAll, {}, {});
  story.order(1, kAll);
  story.order(2, kAll);
  story.membership(kTwo, kTwo, {}, {3});     // before the state of 3
  EXPECT_EQ(story.log(1), "");
  story.settle(kTwo);
  EXPECT_EQ(story.log(1), "trans 1 2|view 1 2|");
  EXPECT_EQ(story.path(1).ring(), story.path(2).ring());
}

TEST(OrderedPath, AStateCountsWhereItIsReadAndIsNotSaidTwice) {
  OrderedStory story(2);
  story.together(kTwo);
  const uint32_t before = story.states;
  story.membership(kTwo, kTwo, {}, {});
  story.membership(kTwo, kTwo, {}, {});      // both states are still under way
  EXPECT_EQ(story.states, before + 2);
  story.settle(kTwo);
  EXPECT_EQ(story.states, before + 2);
  EXPECT_EQ(story.log(1), "trans 1 2|view 1 2|");
}

TEST(OrderedPath, WhoWasAwayForAMomentIsNoCompanion) {
  OrderedStory story(3);
  story.together(kAll);
  story.membership(kTwo, kAll, {3}, {3});
  story.membership({3}, kAll, {1, 2}, {1, 2});
  story.settle(kAll);
  // All come from one ring by two ways: each part steps through a ring of its own.
  for (const HostId id : kTwo) EXPECT_EQ(story.log(id), "trans 1 2|view 1 2|trans 1 2|view 1 2 3|");
  EXPECT_EQ(story.log(3), "trans 3|view 3|trans 3|view 1 2 3|");
}

TEST(OrderedPath, AnotherLifeIsNoCompanionAndNeedsNoStep) {
  OrderedStory story(2);
  story.together(kTwo);
  story.start(2, 8);
  story.membership({1}, kTwo, {2}, {2});
  story.membership({2}, kTwo, kTwo, {});
  story.settle(kTwo);
  EXPECT_EQ(story.log(1), "trans 1|view 1 2|");
  EXPECT_EQ(story.path(1).members(), (Hosts{{1, 7}, {2, 8}}));
}

TEST(OrderedPath, SequencesRiseOverRestartsAndAreStoredBeforeTheyAreSaid) {
  OrderedStory story(2);
  story.together(kTwo);
  const uint64_t first = story.path(1).ring().sequence;
  story.start(1, 8);
  EXPECT_GT(story.path(1).ring().sequence, first);
  story.membership({1}, {1}, {1});
  EXPECT_EQ(story.order_of_effects, (std::vector<std::string>{"store", "send"}));
  story.order(1, {1});
  EXPECT_EQ(story.order_of_effects, (std::vector<std::string>{"store", "configuration", "configuration"}));
}

TEST(OrderedPath, WhatIsOursAndUnderWayIsBounded) {
  Settings settings;
  settings.own_frames = 4;
  settings.queue_bytes = 10'000;
  OrderedStory story(2, settings);
  story.together(kTwo);
  int taken = 0;
  while (story.submit(1, Service::safe, std::string(1000, 'x')) == Submitted::ok) ++taken;
  EXPECT_EQ(taken, 8);  // an eighth is kept for changes
  EXPECT_EQ(story.unread(1), 4u);
  for (int i = 0; i < 4; ++i) story.order(1, kTwo);
  EXPECT_EQ(story.unread(1), 0u) << "they wait for acknowledgements, and count";
  EXPECT_EQ(story.submit(1, Service::safe, std::string(1000, 'x')), Submitted::ok) << "the queue has room again for what has its place";
  EXPECT_EQ(story.submit(1, Service::safe, std::string(settings.message_limit + 1, 'x')), Submitted::too_big);
  story.settle(kTwo);
  const std::string log = story.log(2);
  EXPECT_EQ(std::count(log.begin(), log.end(), '|'), 9);
}

TEST(OrderedPath, WhatDoesNotBelongHereIsDropped) {
  OrderedStory story(2);
  story.together(kTwo);
  const Instant now{1};
  std::vector<std::byte> packet;
  OrderedPath& path = story.path(1);
  Acknowledgement said{path.ring(), {5}};
  ASSERT_TRUE(wire::encode({2, 7}, said, packet));
  path.on_message(now, 3, 1, packet, story.output());
  path.on_message(now, 2, 1, Bytes(packet).first(20), story.output());
  EXPECT_EQ(path.dropped(Drop::malformed), 2u) << "another sender than the medium says; a stump";
  packet.clear();
  ++said.ring.sequence;
  ASSERT_TRUE(wire::encode({2, 7}, said, packet));
  path.on_message(now, 2, 1, packet, story.output());
  EXPECT_EQ(path.dropped(Drop::other_ring), 1u);
  packet.clear();
  ASSERT_TRUE(wire::encode({1, 8}, said, packet));
  path.on_message(now, 1, 1, packet, story.output());
  EXPECT_EQ(path.dropped(Drop::duplicate_host), 1u);
  EXPECT_TRUE(story.output().effects.empty());
}

TEST(OrderedPath, WithoutAMembershipNothingIsSaid) {
  OrderedStory story(2);
  story.together(kTwo);
  story.membership({1}, {2}, {}, {1});       // the medium has cut us off
  EXPECT_EQ(story.submit(1, Service::agreed, "m"), Submitted::ok);
  EXPECT_EQ(story.unread(1), 0u);
  EXPECT_FALSE(story.path(1).is_operational());
  story.membership({1}, kTwo, kTwo);
  story.membership({2}, kTwo, {1}, {1});
  story.settle(kTwo);
  EXPECT_EQ(story.log(1), "trans 1|view 1|trans 1|view 1 2|m|");
}

}  // namespace
}  // namespace evs::ordering
