// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/fill_room_test.cc - which units may be padded, and what bounds the next claim.
#include "shm/fill.h"

#include <gtest/gtest.h>

#include "shm/record.h"
#include "shm/room.h"
#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

TEST(Fill, TheDeadsHoleUnitByUnitAndNotTheLivings) {
  SmallRing ring;
  ring.live(0);
  ring.live(1);
  ring.live(7);
  const uint64_t dead = ring.claim(0, 0, 3 * kUnit);
  const uint64_t alive = ring.claim(1, 0, kUnit);
  uint32_t owner = 99;
  EXPECT_EQ(fill(ring.segment, dead, &owner), Fill::alive);
  EXPECT_EQ(owner, 0u);
  ring.live(0, SlotState::dead);
  EXPECT_EQ(fill_claims_of(ring.segment, 0, 7), 3u);
  for (uint64_t at = dead; at < alive; at += kUnit) {
    RecordView record;
    ASSERT_EQ(peek(ring.segment, at, record), Peek::record);
    EXPECT_EQ(record.kind, Kind::pad);
  }
  EXPECT_EQ(fill(ring.segment, alive), Fill::alive) << "the next one's owner lives";
  EXPECT_EQ(fill(ring.segment, dead), Fill::committed);
  EXPECT_EQ(fill(ring.segment, ring.tail()), Fill::unclaimed);
  EXPECT_EQ(ring.segment.slot(7).pins[kPinFill].position, 0u) << "the pin is gone";
}

TEST(Fill, AStoppedOrExpelledOwnerIsNotADeadOne) {
  SmallRing ring;
  ring.live(0, SlotState::expelled);
  const uint64_t at = ring.claim(0, 0, kUnit);
  EXPECT_EQ(fill(ring.segment, at), Fill::alive);
  // Somebody alive names the position as well, who lost it to the dead one: the owner decides.
  ring.live(1);
  ring.segment.slot(1).cells_used = 1;
  ring.segment.slot(1).cells[0].intent = at | kIntentOpen;
  ring.live(0, SlotState::dead);
  EXPECT_EQ(fill(ring.segment, at), Fill::padded);
}

// Killed between the CAS on the tail and the word that says who won: nobody owns it by name, and somebody alive may.
TEST(Fill, WithoutAnOwnerTheLivingAreAskedFirst) {
  SmallRing ring;
  ring.live(0, SlotState::dead);
  ring.live(1);
  const uint64_t at = ring.claim(0, 0, 0, false);
  ring.segment.hot().tail.store(at + kUnit);
  ring.segment.slot(1).cells_used = 1;
  ring.segment.slot(1).cells[0].intent = at | kIntentOpen;
  EXPECT_EQ(fill(ring.segment, at), Fill::alive);
  ring.segment.slot(1).cells[0].intent = 0;  // it gave up: the dead one won
  EXPECT_EQ(fill(ring.segment, at), Fill::padded);
}

TEST(Fill, WhatWasLappedIsLeftAlone) {
  SmallRing ring;
  ring.live(0, SlotState::dead);
  const uint64_t at = ring.claim(0, 0, kUnit);
  ring.segment.hot().tail.store(at + ring.segment.geometry().capacity + kUnit);
  EXPECT_EQ(fill(ring.segment, at), Fill::lapped);
  EXPECT_EQ(fill_claims_of(ring.segment, 0, 1), 0u);
}

TEST(Room, IsBoundedByTheFurthestBehindWhoCounts) {
  SmallRing ring;
  const uint64_t capacity = ring.segment.geometry().capacity, start = ring.tail();
  for (int i = 0; i < 4; ++i) ring.put(Kind::message, "0123456789", 10);
  const uint64_t tail = ring.tail();
  ring.live(1);
  ring.cursor(1, 3, start + kUnit);
  RoomScan scan = scan_room(ring.segment);
  EXPECT_EQ(scan.limit, start + kUnit + capacity);
  EXPECT_EQ(scan.holder, Holder::cursor);
  EXPECT_EQ(scan.slot, 1u);
  EXPECT_EQ(scan.index, 3u);
  EXPECT_EQ(ring.segment.hot().covered, start + kUnit) << "the furthest live cursor covers what is before it";

  ring.live(1, SlotState::expelled);  // its cursor counts no more; covered does
  EXPECT_EQ(scan_room(ring.segment).holder, Holder::covered);
  ring.live(2);
  ring.cursor(2, 0, tail);
  scan = scan_room(ring.segment);
  EXPECT_EQ(scan.holder, Holder::none);
  EXPECT_EQ(scan.limit, tail + capacity);

  ring.live(1, SlotState::dead);
  const uint64_t hole = ring.claim(2, 0, kUnit);
  ring.put(Kind::message, "x", 1);
  ring.cursor(2, 0, ring.tail());
  scan = scan_room(ring.segment);
  EXPECT_EQ(scan.holder, Holder::claim);
  EXPECT_EQ(scan.lowest, hole);
  ring.live(2, SlotState::dead);
  EXPECT_NE(scan_room(ring.segment).holder, Holder::claim) << "nothing of the dead counts";
}

TEST(Room, ALosersOldIntentHoldsNothing) {
  SmallRing ring;
  ring.live(0);
  const uint64_t lost = ring.tail();
  ring.claim(0, 0, 0, false);         // stopped after its CAS failed
  ring.put(Kind::message, "won", 3);  // by another, at the same position
  ring.cursor(0, 0, ring.tail());
  EXPECT_EQ(scan_room(ring.segment).holder, Holder::none);
  EXPECT_TRUE(ring.segment.committed(lost));
}

TEST(Room, NonsenseInACursorBoundsNothingBeyondTheTail) {
  SmallRing ring;
  ring.live(0);
  ring.cursor(0, 0, ~0ull & kPositionMask);
  const RoomScan scan = scan_room(ring.segment);
  EXPECT_LE(scan.limit, ring.tail() + ring.segment.geometry().capacity);
  EXPECT_LE(ring.segment.hot().covered, ring.tail());
}

}  // namespace
}  // namespace evs::shm
