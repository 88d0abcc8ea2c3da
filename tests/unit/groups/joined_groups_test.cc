// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/groups/joined_groups_test.cc - groups by call and by place, against a model of plain maps.
#include "bus/groups/joined_groups.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>

#include "bus/groups/control_record.h"
#include "bus/groups/group_watch.h"

namespace evs::groups {
namespace {

GroupKey key(int number) {
  GroupKey k{};
  const std::string text = "group " + std::to_string(number);
  std::copy(text.begin(), text.end(), k.key);
  return k;
}

TEST(JoinedGroups, AGroupIsEffectiveFromItsJoinToItsLeave) {
  JoinedGroups groups;
  const GroupKey a = key(1), b = key(2);
  EXPECT_TRUE(groups.add(a));
  groups.sent(a);
  EXPECT_FALSE(groups.wants(&a, 1));  // the record is not passed yet
  groups.passed_join(a);
  EXPECT_TRUE(groups.wants(&a, 1));
  EXPECT_FALSE(groups.wants(&b, 1));
  EXPECT_FALSE(groups.add(a));  // twice
  EXPECT_FALSE(groups.remove(a));
  EXPECT_TRUE(groups.remove(a));
  groups.sent(a);
  EXPECT_TRUE(groups.wants(&a, 1));  // until the leave is passed
  EXPECT_FALSE(groups.drop_if_done(a));
  groups.passed_leave(a);
  EXPECT_FALSE(groups.wants(&a, 1));
  EXPECT_TRUE(groups.drop_if_done(a));
  EXPECT_TRUE(groups.empty());
}

TEST(JoinedGroups, JoinedAnewWhileTheLeaveIsInFlight) {
  JoinedGroups groups;
  const GroupKey a = key(1);
  groups.add(a);
  groups.sent(a);
  groups.remove(a);
  groups.sent(a);
  EXPECT_TRUE(groups.add(a));
  groups.sent(a);
  groups.passed_join(a);
  groups.passed_leave(a);
  EXPECT_FALSE(groups.wants(&a, 1));
  EXPECT_FALSE(groups.drop_if_done(a));
  groups.passed_join(a);
  EXPECT_TRUE(groups.wants(&a, 1));
}

TEST(JoinedGroups, BehavesAsTwoMapsWould) {
  std::mt19937 random(20261);  // the seed of this story
  JoinedGroups groups;
  std::map<int, uint32_t> calls;
  std::map<int, bool> effective;
  for (int step = 0; step < 20'000; ++step) {
    const int n = static_cast<int>(random() % 300);
    const GroupKey k = key(n);
    switch (random() % 4) {
      case 0:
      case 1:
        ASSERT_EQ(groups.add(k), calls[n]++ == 0);
        break;
      case 2:
        if (calls[n] > 0) ASSERT_EQ(groups.remove(k), --calls[n] == 0);
        break;
      default:
        if (!groups.knows(k)) break;
        effective[n] = random() % 2 == 0;
        effective[n] ? groups.passed_join(k) : groups.passed_leave(k);
        groups.drop_if_done(k);
    }
    const int asked = static_cast<int>(random() % 300);
    const GroupKey others[2] = {key(asked), key(1000)};
    ASSERT_EQ(groups.wants(others, 2), effective[asked] && groups.knows(others[0])) << "step " << step;
    ASSERT_EQ(groups.calls_of(k), calls[n]);
  }
  uint32_t joined = 0;
  for (const auto& [n, count] : calls) joined += count > 0;
  EXPECT_EQ(groups.joined_count(), joined);
  EXPECT_EQ(groups.joined().size(), joined);
}

TEST(ControlRecord, IsTheseBytes) {
  const ControlBytes bytes = encode({ControlType::leave, 0x0102030405060708, 9, 5});
  const ControlBytes golden = {'E', 'V', 'S', 'G', 1, 2, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0, 5};
  EXPECT_EQ(bytes, golden);
  ControlRecord back;
  ASSERT_TRUE(decode(bytes.data(), bytes.size(), back));
  EXPECT_EQ(back.type, ControlType::leave);
  EXPECT_EQ(back.handle, 0x0102030405060708u);
  EXPECT_EQ(back.serial, 9u);
  EXPECT_TRUE(back.is_processor_change(0) && !back.is_processor_change(1) && back.is_processor_change(2));
  EXPECT_FALSE(back.is_processor_change(64));
}

TEST(ControlRecord, WhatIsNotOneIsRefused) {
  ControlRecord out;
  for (size_t byte = 0; byte < 8; ++byte) {
    ControlBytes bytes = encode({});
    bytes[byte] ^= 0x40;
    EXPECT_FALSE(decode(bytes.data(), bytes.size(), out)) << byte;
  }
  const ControlBytes good = encode({});
  EXPECT_FALSE(decode(good.data(), good.size() - 1, out));
  EXPECT_FALSE(decode(good.data(), 0, out));
}

TEST(GroupWatch, TellsWhatChangesAndNothingElse) {
  GroupWatch watch;
  std::vector<evs_group_change_t> told;
  const Processor b{2, 20, 1}, b_again{2, 21, 2}, c{3, 30, 1};
  watch.joined(key(1), b, told);  // not ours
  watch.open(key(1), {b});
  watch.joined(key(1), b, told);  // there already
  EXPECT_TRUE(told.empty());
  watch.joined(key(1), c, told);
  watch.gone(b_again, EVS_REASON_DIED, told);  // another life of the nodeid
  watch.gone(b, EVS_REASON_EXPELLED, told);
  watch.left(key(1), b, told);
  watch.left(key(1), c, told);
  std::vector<std::tuple<uint32_t, int32_t, int32_t>> seen;
  for (const auto& change : told) seen.emplace_back(change.nodeid, change.pid, change.reason);
  using T = std::tuple<uint32_t, int32_t, int32_t>;
  EXPECT_EQ(seen, (std::vector<T>{{3, 30, EVS_REASON_JOINED}, {2, 20, EVS_REASON_EXPELLED}, {3, 30, EVS_REASON_LEFT}}));
  watch.close(key(1));
  watch.joined(key(1), b, told);
  EXPECT_EQ(told.size(), 3u);
}

}  // namespace
}  // namespace evs::groups
