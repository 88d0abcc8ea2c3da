// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/ordered_change_test.cc - changes of the configuration of processes, and media that tell stability (docs/protocol.md, "Over an ordered
// medium").
#include "tests/unit/ordering/ordered_world.h"

namespace evs::ordering {
namespace {

// Were 2 to speak behind the change at once, others could take what it says for said in a configuration that 3 may never install.
TEST(OrderedChange, NobodySpeaksBehindAChangeBeforeAllHaveAcknowledgedIt) {
  OrderedStory story(3);
  story.together(kAll);
  story.change(1, "c");
  story.order(1, kAll);
  story.submit(2, Service::safe, "s");
  EXPECT_EQ(story.unread(2), 0u);
  story.tick(kAll);
  story.order(1, kAll);
  story.order(2, kAll);
  EXPECT_EQ(story.log(2), "");
  EXPECT_EQ(story.unread(2), 0u);
  story.order(3, {3, 1, 2});
  EXPECT_EQ(story.log(2), "c|");
  EXPECT_EQ(story.order_of_effects, (std::vector<std::string>{"deliver", "send"})) << "what it says, it says behind the installation";
  story.settle(kAll);
  EXPECT_EQ(story.log(3), "c|s|");
}

TEST(OrderedChange, WhatAChangeOvertookIsSaidAgainBehindIt) {
  OrderedStory story(2);
  story.together(kTwo);
  story.submit(2, Service::unordered, "u");
  story.submit(2, Service::agreed, "a");
  story.change(1, "c");
  story.order(1, kTwo);
  story.order(2, kTwo);                      // said in the configuration before: void
  EXPECT_EQ(story.log(1), "");
  story.settle(kTwo);
  for (const HostId id : kTwo) EXPECT_EQ(story.log(id), "c|u|a|");
}

Settings told() {
  Settings settings;
  settings.medium_tells_stability = true;
  return settings;
}

TEST(OrderedTold, AMediumThatTellsStabilityNeedsNoAcknowledgements) {
  OrderedStory story(2, told());
  story.together(kTwo);
  story.submit(1, Service::safe, "s");
  story.order(1, kTwo);
  EXPECT_EQ(story.log(1), "");
  story.stable(1, story.position());
  EXPECT_EQ(story.log(1), "s|");
  story.stable(2, story.position() + 1);     // told ahead of what it has read
  EXPECT_EQ(story.log(2), "s|");
  story.submit(1, Service::safe, "t");
  story.order(1, kTwo);
  EXPECT_EQ(story.log(2), "t|");
  story.settle(kTwo);
  EXPECT_EQ(story.acknowledgements, 0u);
}

TEST(OrderedTold, WhatOneWasToldToBeStableAllDeliverInTheOldConfiguration) {
  OrderedStory story(3, told());
  story.together(kAll);
  story.submit(1, Service::safe, "s");
  story.order(1, kAll);
  story.submit(1, Service::safe, "t");
  story.order(1, kAll);
  story.stable(1, story.position() - 1);     // 2 is not told
  story.membership(kTwo, kTwo, {}, {3});
  story.stable(2, story.position());         // too late: it has said how far it is
  story.settle(kTwo);
  EXPECT_EQ(story.log(1), "s|trans 1 2|t|view 1 2|");
  EXPECT_EQ(story.log(2), "s|trans 1 2|t|view 1 2|");
}

// That a medium has something everywhere says nothing of what is installed: a change needs acknowledgements all the same, and nobody
// acknowledges it before it has delivered what stands before it.
TEST(OrderedChange, AChangeIsAcknowledgedBehindWhatStandsBeforeIt) {
  OrderedStory story(2, told());
  story.together(kTwo);
  story.submit(1, Service::safe, "s");
  story.change(1, "c");
  story.order(1, kTwo);
  story.order(1, kTwo);
  story.stable(1, story.position());
  story.settle(kTwo);
  EXPECT_EQ(story.acknowledgements, 1u);     // of 1
  EXPECT_EQ(story.log(1), "s|");
  story.stable(2, story.position());
  story.settle(kTwo);
  EXPECT_EQ(story.acknowledgements, 2u);
  for (const HostId id : kTwo) EXPECT_NE(story.log(id).find("c|"), std::string::npos);
}

}  // namespace
}  // namespace evs::ordering
