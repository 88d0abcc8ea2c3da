// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/view_test.cc - memberships: folded in order, published in two copies, found again from the ring.
#include "shm/view.h"

#include <gtest/gtest.h>

#include <string>

#include "shm/record.h"
#include "tests/unit/shm/ground.h"

namespace evs::shm {
namespace {

View with(const View& before, uint32_t slot) {
  View next = before;
  next.change += 2;
  next.left.clear();
  next.members.push_back({slot, 1, 100 + static_cast<int32_t>(slot), static_cast<uint32_t>(MemberReason::joined), 1});
  return next;
}

uint64_t append(SmallRing& ring, const View& next, const View& before) {
  const auto bytes = encode_membership(next, before);
  return ring.put(Kind::membership, bytes.data(), bytes.size());
}

TEST(View, AWalkTakesWhatIsBasedOnTheLastAndIgnoresTheRest) {
  SmallRing ring;
  uint64_t at = ring.tail();
  View first = with(View{}, 0);
  first.position = append(ring, first, View{});
  const View rival = with(View{}, 5);  // based on the same: too late
  append(ring, rival, View{});
  ring.put(Kind::message, "x", 1);
  View second = with(first, 1);
  second.position = append(ring, second, first);

  View view;
  EXPECT_EQ(walk(ring.segment, at, view, ring.tail()), Walk::done);
  EXPECT_EQ(at, ring.tail());
  EXPECT_EQ(view.change, 4u);
  EXPECT_EQ(view.position, second.position);
  ASSERT_EQ(view.members.size(), 2u);
  EXPECT_EQ(view.members[1].slot, 1u);
  EXPECT_EQ(view.find(5, 1), nullptr);
}

TEST(View, AWalkStopsAtAHoleAndStartsAnewWhenItIsLapped) {
  SmallRing ring;
  ring.live(0);
  const uint64_t start = ring.tail();
  ring.put(Kind::message, "x", 1);
  const uint64_t hole = ring.claim(0, 0, kUnit);
  uint64_t at = start;
  View view;
  EXPECT_EQ(walk(ring.segment, at, view, ring.tail()), Walk::blocked);
  EXPECT_EQ(at, hole);
  ring.segment.hot().tail.store(start + ring.segment.geometry().capacity + kUnit);
  at = start;
  EXPECT_EQ(walk(ring.segment, at, view, ring.tail()), Walk::lapped);
}

TEST(View, ImpossibleRecordsAreDamageAndNoView) {
  for (const auto& break_it : {+[](unsigned char* payload) { payload[24] = 200; },   // more members than places
                               +[](unsigned char* payload) { payload[28] = 9; },     // more who left
                               +[](unsigned char* payload) { payload[32] = 8; }}) {  // a slot that is none
    SmallRing ring;
    uint64_t at = ring.tail();
    auto bytes = encode_membership(with(View{}, 0), View{});
    break_it(bytes.data());
    ring.put(Kind::membership, bytes.data(), bytes.size());
    View view;
    EXPECT_EQ(walk(ring.segment, at, view, ring.tail()), Walk::damaged);
    EXPECT_EQ(view.change, 0u) << "nothing of it was taken";
  }
}

// What a member may forge is bounded by what the bus promised its applications, not by what a record can hold.
TEST(Record, LargerThanAMessageMayBeIsDamage) {
  SmallRing ring;
  const std::string text(1025, 'x');  // message_limit is 1024
  RecordView record;
  EXPECT_EQ(peek(ring.segment, ring.put(Kind::message, text.data(), 1024), record), Peek::record);
  EXPECT_EQ(peek(ring.segment, ring.put(Kind::message, text.data(), 1025), record), Peek::damaged);
  EXPECT_EQ(peek(ring.segment, ring.put(Kind::control, text.data(), 1025), record), Peek::damaged);
  const uint64_t many = ring.put(Kind::message, text.data(), 1);
  reinterpret_cast<RecordHeader*>(ring.segment.at(many))->group_count = kMaxGroups + 1;
  EXPECT_EQ(peek(ring.segment, many, record), Peek::damaged);
}

TEST(View, TheNewestPublishedIsFoundAndAnOlderNeverReplacesIt) {
  SmallRing ring;
  ring.live(2);
  ring.live(3);
  EXPECT_EQ(load_latest(ring.segment).change, 0u);
  View first = with(View{}, 2), second = with(first, 3);
  first.position = 64;
  second.position = 128;
  publish(ring.segment, 2, first);
  publish(ring.segment, 3, second);
  EXPECT_EQ(load_latest(ring.segment).position, 128u);
  publish(ring.segment, 3, first);
  EXPECT_EQ(load_latest(ring.segment).change, 4u);
  // Killed between the copy and the word: the other copy stands.
  const uint64_t word = ring.segment.slot(3).view_word.load();
  memset(static_cast<void*>(&ring.segment.view_copy(3, (word & 1) ^ 1)), 0xee, sizeof(ViewCopy));
  EXPECT_EQ(load_latest(ring.segment).change, 4u);
}

// A word that names a copy which is not its own: waiting for it to become right would be for ever.
TEST(View, ADamagedCopyIsPassedOver) {
  SmallRing ring;
  ring.live(2);
  ring.live(3);
  View view = with(View{}, 2);
  view.position = 64;
  publish(ring.segment, 2, view);
  ring.segment.slot(3).view_word.store(1000 << 1);
  EXPECT_EQ(load_latest(ring.segment).change, 2u);
  // And one with a member in a slot that is none.
  View wild = with(view, 700);
  wild.change = 400;
  ring.segment.slot(3).view_word.store(0);
  publish(ring.segment, 3, wild);
  EXPECT_EQ(load_latest(ring.segment).change, 2u);
}

TEST(View, WhoLeftBetweenTwoIsToldWithTheReasonThatItsSlotKnows) {
  SmallRing ring;
  const View both = with(with(View{}, 0), 1);
  ring.segment.slot_word(0).store(SlotWord{1, 1, SlotState::dead, MemberReason::left}.pack());
  ring.segment.slot_word(1).store(SlotWord{2, 1, SlotState::live, MemberReason::stays}.pack());  // another life by now
  const auto left = left_between(both, View{}, ring.segment);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].reason, static_cast<uint32_t>(MemberReason::left));
  EXPECT_EQ(left[1].reason, static_cast<uint32_t>(MemberReason::stays)) << "nobody can say any more";
}

}  // namespace
}  // namespace evs::shm
