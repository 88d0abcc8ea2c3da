// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/role_test.cc - the pin that is nobody's, and what became of a dead one's claim.
#include "shm/role.h"

#include <gtest/gtest.h>

#include "shm/record.h"
#include "shm/room.h"
#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

TEST(Role, ItsPinHoldsTheRingWhoeverLivesAndGoesForwardOnly) {
  SmallRing ring;
  const uint64_t capacity = ring.segment.geometry().capacity;
  EXPECT_EQ(role_position(ring.segment), 0u);
  EXPECT_FALSE(keep_role(ring.segment, ring.tail())) << "nothing was ever kept";
  ring.live(3);
  const uint64_t at = open_role(ring.segment, 3, 1);
  EXPECT_EQ(at, ring.tail());
  EXPECT_EQ(ring.segment.hot().role_pin, at | kRoleKept);
  EXPECT_EQ(role_holder(ring.segment), 3u);
  const uint64_t first = ring.put(Kind::message, "one", 3), second = ring.put(Kind::message, "two", 3);
  ring.cursor(3, 0, ring.tail());

  ring.live(3, SlotState::dead);
  EXPECT_EQ(role_holder(ring.segment), UINT32_MAX);
  RoomScan scan = scan_room(ring.segment);
  EXPECT_EQ(scan.holder, Holder::role);
  EXPECT_EQ(scan.limit, at + capacity);
  ring.live(4);
  ring.cursor(4, 0, ring.tail());
  EXPECT_EQ(scan_room(ring.segment).limit, at + capacity) << "also behind a reader who has all";
  EXPECT_EQ(ring.segment.hot().covered, ring.tail()) << "which covers memberships beyond the pin";

  EXPECT_EQ(open_role(ring.segment, 4, 1), at) << "where the dead one left it";
  EXPECT_TRUE(keep_role(ring.segment, second));
  EXPECT_TRUE(keep_role(ring.segment, first));
  EXPECT_EQ(role_position(ring.segment), second);
  EXPECT_EQ(scan_room(ring.segment).limit, second + capacity);
  EXPECT_FALSE(keep_role(ring.segment, second + 1));
  EXPECT_FALSE(keep_role(ring.segment, ring.tail() + kUnit));
  EXPECT_TRUE(keep_role(ring.segment, ring.tail()));
  EXPECT_EQ(scan_room(ring.segment).holder, Holder::none);
  close_role(ring.segment, 3, 1);
  EXPECT_EQ(role_holder(ring.segment), 4u) << "closed by somebody who had it before";
  close_role(ring.segment, 4, 1);
  EXPECT_EQ(role_holder(ring.segment), UINT32_MAX);
  EXPECT_EQ(role_position(ring.segment), ring.tail());
}

// Killed between the word and the second look at the tail: it holds the ring, and whoever comes begins anew.
TEST(Role, AFirstSettingThatWasNotFinishedPromisesNothing) {
  SmallRing ring;
  const uint64_t begun = ring.tail();
  ring.segment.hot().role_pin = begun | kRolePlacing;
  ring.put(Kind::message, "x", 1);
  EXPECT_EQ(role_position(ring.segment), 0u);
  EXPECT_EQ(scan_room(ring.segment).lowest, begun);
  EXPECT_FALSE(keep_role(ring.segment, ring.tail()));
  EXPECT_EQ(open_role(ring.segment, 0, 1), ring.tail());
  EXPECT_EQ(role_position(ring.segment), ring.tail());
}

TEST(Role, NonsenseInThePinIsRefusedAndBoundsNothingBeyondTheTail) {
  SmallRing ring;
  for (const uint64_t pin : {ring.tail() + kUnit, uint64_t{~0ull & kPositionMask}}) {
    ring.segment.hot().role_pin = pin | kRoleKept;
    EXPECT_EQ(open_role(ring.segment, 0, 1), 0u);
    EXPECT_LE(scan_room(ring.segment).limit, ring.tail() + ring.segment.geometry().capacity);
  }
  ring.segment.hot().tail = 4 * ring.segment.geometry().capacity;
  ring.segment.hot().role_pin = kUnit | kRoleKept;
  EXPECT_EQ(open_role(ring.segment, 0, 1), 0u) << "further back than a lap";
}

class Settling : public testing::Test {
 protected:
  Settling() {
    for (const uint32_t slot : {0u, 1u, 7u}) ring.live(slot);
    open_role(ring.segment, 7, 1);
  }
  Settled settle(uint64_t position) { return settle_claim(ring.segment, 7, position, padded); }
  void commit(uint64_t position, size_t size, Kind kind = Kind::message) const {
    auto* header = reinterpret_cast<RecordHeader*>(ring.segment.at(position));
    header->size = static_cast<uint32_t>(size);
    header->commit.store(ring.segment.encode(position, kind));
  }
  SmallRing ring;
  uint64_t padded = 0;
};

TEST_F(Settling, WhatWasCommittedStandsAndWhatWasNotIsPaddedOnceItsOwnerIsDead) {
  const uint64_t whole = ring.put(Kind::message, "x", 1), torn = ring.claim(0, 0, 3 * kUnit), behind = ring.put(Kind::control, "y", 1);
  EXPECT_EQ(settle(whole), Settled::committed);
  EXPECT_EQ(settle(behind), Settled::committed) << "whatever stands before it";
  EXPECT_EQ(settle(torn), Settled::alive);
  EXPECT_EQ(padded, 0u);
  ring.live(0, SlotState::dead);
  EXPECT_EQ(settle(torn), Settled::padded);
  EXPECT_EQ(padded, 3u);
  EXPECT_EQ(settle(torn), Settled::padded) << "and stays so";
  EXPECT_EQ(settle(ring.tail()), Settled::not_claimed);
  EXPECT_EQ(settle(whole + 1), Settled::not_claimed);
  EXPECT_EQ(ring.segment.slot(7).pins[kPinFill].position, 0u);
}

// Within a live claimant's record nobody is named, and a dead one's units that another filler began on have no name any more either.
TEST_F(Settling, AUnitWithinSomebodysRecordIsNobodysToPad) {
  const uint64_t live = ring.claim(1, 0, 3 * kUnit);
  EXPECT_EQ(settle(live + kUnit), Settled::alive);
  EXPECT_EQ(padded, 0u);
  EXPECT_FALSE(ring.segment.committed(live + kUnit));
  commit(live, 100);
  ring.segment.slot(1).cells[0].intent = 0;
  EXPECT_EQ(settle(live + kUnit), Settled::not_claimed);
  const uint64_t dead = ring.claim(0, 0, 2 * kUnit);
  ring.live(0, SlotState::dead);
  ring.segment.word(dead).store(ring.segment.encode(dead, Kind::pad));  // by somebody who died before the second
  EXPECT_EQ(settle(dead + kUnit), Settled::padded);
}

// The record that takes the rest of a lap: claimed at the rest's beginning, committed before the rest's skip.
TEST_F(Settling, AcrossTheEndOfTheBuffer) {
  const uint64_t capacity = ring.segment.geometry().capacity;
  for (const bool committed : {false, true}) {
    const uint64_t lap = (ring.tail() / capacity + 1) * capacity, rest = lap - 2 * kUnit;
    ring.segment.hot().tail = rest;
    keep_role(ring.segment, rest);
    ring.live(0);
    ring.claim(0, 0, 2 * kUnit + 3 * kUnit);
    if (committed) commit(lap, 100);
    EXPECT_EQ(settle(lap), committed ? Settled::committed : Settled::alive);
    ring.live(0, SlotState::dead);
    EXPECT_EQ(settle(lap), committed ? Settled::committed : Settled::padded);
    EXPECT_EQ(settle(rest), Settled::padded) << "the rest of the lap, unless its owner came to the skip";
  }
}

TEST_F(Settling, BeforeThePinNobodyCanTellWhatTheRingWentOver) {
  const uint64_t torn = ring.claim(0, 0, kUnit);
  ring.live(0, SlotState::dead);
  keep_role(ring.segment, torn + kUnit);
  ring.segment.hot().tail = torn + ring.segment.geometry().capacity + kUnit;
  EXPECT_EQ(settle(torn), Settled::lost);
  EXPECT_EQ(padded, 0u);
  commit(torn, 1);
  EXPECT_EQ(settle(torn), Settled::committed) << "its own word is proof as long as it stands";
}

}  // namespace
}  // namespace evs::shm
