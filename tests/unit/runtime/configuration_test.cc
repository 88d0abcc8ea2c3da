// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/runtime/configuration_test.cc - from memberships to what a handle is told: by pairs, and with the transitional one told by itself.
#include "bus/runtime/configuration.h"

#include <gtest/gtest.h>

namespace evs::runtime {
namespace {

evs_ordered_member member(uint32_t nodeid, int32_t reason = EVS_MEMBER_STAYS) { return {nodeid, static_cast<int32_t>(nodeid), 1, reason, 0}; }

Membership membership(uint64_t ring, uint64_t change, std::vector<evs_ordered_member> members, std::vector<evs_ordered_member> left = {}) {
  return {change, ring, 0, std::move(members), std::move(left)};
}

std::vector<uint32_t> ids(const std::vector<evs_member_t>& members) {
  std::vector<uint32_t> out;
  for (const evs_member_t& one : members) out.push_back(one.nodeid);
  return out;
}

class Teller : public testing::Test {
 protected:
  void SetUp() override {
    teller.begin(membership(5, 2, {member(1), member(2), member(3)}), member(1), told);
    told.clear();
  }
  ConfigurationTeller teller;
  std::vector<Configuration> told;
};

TEST_F(Teller, GivesAPairForOneMembership) {
  teller.advance(membership(5, 4, {member(1), member(2)}, {member(3, EVS_MEMBER_DIED)}), told);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].kind, EVS_CONFIGURATION_TRANSITIONAL);
  EXPECT_EQ(ids(told[0].members), (std::vector<uint32_t>{1, 2}));
  ASSERT_EQ(ids(told[0].left), std::vector<uint32_t>{3});
  EXPECT_EQ(told[0].left[0].reason, EVS_REASON_DIED);
  EXPECT_EQ(told[1].kind, EVS_CONFIGURATION_REGULAR);
  EXPECT_EQ(told[1].flags, 0u);
}

// Where the medium cannot say any more why, nobody does: on a bus of one host least of all that hosts parted.
TEST_F(Teller, GivesNoReasonWhereTheMediumHasNone) {
  teller.advance(membership(5, 4, {member(1), member(2)}, {member(3)}), told);
  ASSERT_EQ(ids(told[0].left), std::vector<uint32_t>{3});
  EXPECT_EQ(told[0].left[0].reason, EVS_REASON_NONE);
}

// Hosts part: what is delivered next is delivered among those who go on, and only then comes their regular configuration.
TEST_F(Teller, GivesTheTransitionalOneWhenItIsToldByItself) {
  teller.advance(membership(9, 1, {member(1), member(2)}, {member(3, EVS_MEMBER_PARTED)}), told);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, EVS_CONFIGURATION_TRANSITIONAL);
  EXPECT_EQ(told[0].id.seq, (9ull << 32) + 1);
  EXPECT_EQ(ids(told[0].left), std::vector<uint32_t>{3});
  EXPECT_EQ(told[0].left[0].reason, EVS_REASON_PARTED);
  const evs_ring_id before = teller.current();
  EXPECT_EQ(before.seq, (5ull << 32) + 2) << "messages in it belong to the regular one that it closes";

  told.clear();
  teller.advance(membership(9, 2, {member(1), member(2), member(4)}), told);
  ASSERT_EQ(told.size(), 1u) << "the transitional one was told";
  EXPECT_EQ(told[0].kind, EVS_CONFIGURATION_REGULAR);
  EXPECT_EQ(told[0].flags, 0u);
  EXPECT_EQ(ids(told[0].joined), std::vector<uint32_t>{4});
  EXPECT_TRUE(told[0].left.empty());
}

TEST_F(Teller, MergesWhatWasMissedBehindATransitionalOne) {
  teller.advance(membership(9, 1, {member(1), member(2)}, {member(3)}), told);
  told.clear();
  teller.advance(membership(9, 6, {member(1), member(4)}, {member(2, EVS_MEMBER_LEFT)}), told);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].kind, EVS_CONFIGURATION_TRANSITIONAL);
  EXPECT_EQ(ids(told[0].members), std::vector<uint32_t>{1});
  EXPECT_NE(told[1].flags & EVS_CONFIGURATION_MERGED, 0u);
}

TEST_F(Teller, TellsNothingTwice) {
  teller.advance(membership(9, 1, {member(1)}, {member(2), member(3)}), told);
  teller.advance(membership(9, 1, {member(1)}, {member(2), member(3)}), told);
  teller.advance(membership(9, 2, {member(1)}), told);
  teller.advance(membership(9, 2, {member(1)}), told);
  EXPECT_EQ(told.size(), 2u);
}

TEST_F(Teller, WhoWasExpelledHearsOfNoTransitionButItsOwn) {
  teller.expelled(member(1), told);
  told.clear();
  teller.advance(membership(9, 1, {member(2), member(3)}), told);
  EXPECT_TRUE(told.empty());
  teller.advance(membership(9, 2, {member(2), member(3), member(7)}), told);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, EVS_CONFIGURATION_REGULAR);
}

}  // namespace
}  // namespace evs::runtime
