// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/delivery_test.cc - when a frame is delivered, and what the end of a configuration does (Moser et al. 1994; docs/protocol.md).
#include "tests/unit/ordering/core_world.h"

namespace evs::ordering {
namespace {

TEST(Delivery, AgreedIsInOrderAndWithoutAGap) {
  RingView view;
  view.hold(2, 2, Service::agreed);
  view.deliverer.advance(Seq{0}, view.out);
  EXPECT_EQ(view.told(), "");
  view.hold(1, 1, Service::agreed);
  view.deliverer.advance(Seq{0}, view.out);
  EXPECT_EQ(view.told(), "1 2");
}

TEST(Delivery, SafeWaitsForTheStableLineAndAgreedBehindItWaitsToo) {
  RingView view;
  view.hold(1, 1, Service::safe);
  view.hold(2, 2, Service::agreed);
  view.deliverer.advance(Seq{0}, view.out);
  EXPECT_EQ(view.told(), "");
  view.deliverer.advance(Seq{1}, view.out);
  EXPECT_EQ(view.told(), "1 2");
}

TEST(Delivery, UnorderedIsDeliveredOnReceptionAndOnce) {
  RingView view;
  view.hold(5, 2, Service::unordered, 3);
  EXPECT_EQ(view.told(), "5");
  for (const uint64_t seq : {1, 2, 3, 4}) view.hold(seq, 1, Service::agreed, seq - 1);
  view.deliverer.advance(Seq{0}, view.out);
  EXPECT_EQ(view.told(), "1 2 3 4") << "not a second time at its place";
}

TEST(Delivery, FifoWaitsForWhatItsSenderStampedBefore) {
  RingView view;
  view.hold(4, 2, Service::fifo, 2);  // the second of host 2
  EXPECT_EQ(view.told(), "");
  view.hold(3, 3, Service::fifo);     // another sender's first
  EXPECT_EQ(view.told(), "3");
  view.hold(2, 2, Service::fifo);
  EXPECT_EQ(view.told(), "2 4") << "frame 1 is still missing";
}

TEST(Delivery, FifoBehindASafeOfItsSenderWaitsForIt) {
  RingView view;
  view.hold(1, 2, Service::safe);
  view.hold(2, 2, Service::fifo, 1);
  EXPECT_EQ(view.told(), "");
  view.deliverer.advance(Seq{1}, view.out);
  EXPECT_EQ(view.told(), "1 2");
}

// Hosts 1, 2 and 3 go on; 4 is gone.
constexpr Seq kNobodyMore{0};

TEST(EndOfAConfiguration, SafeThatNobodyDeliveredComesInTheTransitionalOne) {
  RingView view;
  view.hold(1, 1, Service::agreed);
  view.hold(2, 2, Service::safe);
  view.hold(3, 3, Service::agreed);
  EXPECT_TRUE(view.finish(kNobodyMore, {RingView::host(1), RingView::host(2), RingView::host(3)}, {RingView::host(1)}));
  EXPECT_EQ(view.told(), "1 T 2 3");
}

TEST(EndOfAConfiguration, WhatOneOfThemHadDeliveredAllDeliverInTheOldOne) {
  RingView view;
  view.hold(1, 1, Service::agreed);
  view.hold(2, 2, Service::safe);
  view.hold(3, 3, Service::safe);
  EXPECT_TRUE(view.finish(Seq{2}, {RingView::host(1), RingView::host(2)}, {RingView::host(1)}));
  EXPECT_EQ(view.told(), "1 2 T 3");
}

TEST(EndOfAConfiguration, BehindAGapOnlyThoseWeAreObligedToAreHeard) {
  RingView view;
  view.hold(1, 1, Service::agreed);
  view.hold(3, 2, Service::agreed);      // 2 is lost
  view.hold(4, 4, Service::agreed);
  view.hold(5, 3, Service::agreed);
  EXPECT_TRUE(view.finish(kNobodyMore, {RingView::host(1), RingView::host(2)}, {RingView::host(1), RingView::host(2)}));
  EXPECT_EQ(view.told(), "1 T 3") << "4 and 5 may depend on what is missing";
}

TEST(EndOfAConfiguration, WhatMayHaveBeenDeliveredEarlyIsDeliveredInTheOldOne) {
  RingView view;
  view.hold(2, 2, Service::safe);        // 1 is lost
  view.hold(3, 4, Service::unordered);
  EXPECT_EQ(view.told(), "3");
  RingView other;                        // got it in recovery, behind its have-list
  other.hold(2, 2, Service::safe);
  other.hold(3, 4, Service::unordered);
  other.store.find(Seq{3})->delivered = false;
  other.told();
  EXPECT_TRUE(other.finish(kNobodyMore, {RingView::host(1), RingView::host(2)}, {RingView::host(2)}));
  EXPECT_EQ(other.told(), "3 T 2");
}

}  // namespace
}  // namespace evs::ordering
