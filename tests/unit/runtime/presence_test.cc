// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/runtime/presence_test.cc - nobody is inside while somebody has the place for himself.
//
// A number that only the one inside, or the one who has shut everybody out, may touch tells whether the rule holds: a plain
// variable for the exclusive side, a claim flag for the others.
#include "bus/runtime/presence.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "bus/runtime/configuration.h"
#include "bus/runtime/futex.h"

namespace evs::runtime {
namespace {

Handle* some_handle() {
  static char stands_for_one;
  return reinterpret_cast<Handle*>(&stands_for_one);  // named, never looked into
}
bool any(const Handle* handle, const void* wanted) { return handle == wanted; }

TEST(Presence, TheGateKeepsEverybodyOut) {
  presence::prepare();
  std::atomic<uint32_t> gate{0};
  std::atomic<bool> alone{false}, done{false};
  std::atomic<uint64_t> entered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      PresenceRecord& mine = *presence::record();
      while (!done) {
        const uint32_t depth = presence::enter(mine, some_handle());
        if (gate.load(std::memory_order_acquire) == 0) {
          EXPECT_FALSE(alone.load(std::memory_order_relaxed));
          entered.fetch_add(1, std::memory_order_relaxed);
          EXPECT_FALSE(alone.load(std::memory_order_relaxed));
        }
        presence::leave(mine, depth);
      }
    });
  for (int round = 0; round < 200 || entered < 1000; ++round) {
    gate.store(1, std::memory_order_seq_cst);
    presence::wait_until_outside(&any, some_handle());
    alone.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    alone.store(false, std::memory_order_relaxed);
    gate.store(0, std::memory_order_seq_cst);
    std::this_thread::yield();
  }
  done = true;
  for (auto& thread : threads) thread.join();
  EXPECT_GT(entered, 0u);
}

TEST(Presence, NestsAsDeepAsPromised) {
  PresenceRecord& mine = *presence::record();
  uint32_t depths[kPresenceDepth];
  for (uint32_t& depth : depths) depth = presence::enter(mine, some_handle());
  for (uint32_t i = 0; i < kPresenceDepth; ++i) EXPECT_EQ(depths[i], i);
  EXPECT_EQ(presence::enter(mine, some_handle()), kPresenceDepth);  // no further
  presence::leave(mine, depths[3]);
  presence::leave(mine, depths[2]);
  EXPECT_TRUE(presence::is_inside(&any, some_handle(), false));  // the outer ones still are
  EXPECT_FALSE(presence::is_inside(&any, some_handle(), true));
  presence::leave(mine, depths[1]);
  presence::leave(mine, depths[0]);
  EXPECT_FALSE(presence::is_inside(&any, some_handle(), false));
}

TEST(Presence, RecordsOfEndedThreadsAreUsedAgain) {
  // More threads than there are records, one after the other: each finds one.
  for (uint32_t i = 0; i < kPresenceRecords + 200; ++i)
    std::thread([] { EXPECT_NE(presence::record(), nullptr); }).join();
}

TEST(RecursiveLock, IsRecursiveForItsThreadAlone) {
  RecursiveLock lock;
  int me = 0, other = 0;
  EXPECT_TRUE(lock.try_lock(&me));
  EXPECT_TRUE(lock.try_lock(&me));
  EXPECT_FALSE(lock.try_lock(&other));
  EXPECT_EQ(lock.depth(), 2u);
  lock.unlock();
  EXPECT_FALSE(lock.try_lock(&other));
  lock.unlock();
  EXPECT_TRUE(lock.try_lock(&other));
  lock.unlock();
}

TEST(FutexLock, GuardsAPlainNumber) {
  FutexLock lock;
  uint64_t number = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 20'000; ++n) {
        lock.lock();
        ++number;
        lock.unlock();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(number, 160'000u);
}

evs_ordered_member member(uint32_t nodeid, uint64_t incarnation = 1, int32_t reason = EVS_MEMBER_STAYS) {
  return evs_ordered_member{nodeid, static_cast<int32_t>(nodeid * 10), incarnation, reason, 0};
}

TEST(Configuration, IdsAndLists) {
  ConfigurationTeller teller;
  std::vector<Configuration> out;
  teller.begin({6, 2, 0, {member(3), member(5)}, {}}, member(5), out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].id.nodeid, 3u);
  EXPECT_EQ(out[0].id.seq, (uint64_t{2} << 32) + 6);
  ASSERT_EQ(out[0].joined.size(), 1u);
  EXPECT_EQ(out[0].joined[0].nodeid, 5u);

  out.clear();
  teller.advance({6, 2, 0, {}, {}}, out);  // no news
  EXPECT_TRUE(out.empty());
  teller.advance({8, 2, 0, {member(4), member(5)}, {member(3, 1, EVS_MEMBER_DIED)}}, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].kind, EVS_CONFIGURATION_TRANSITIONAL);
  EXPECT_EQ(out[0].id.nodeid, 5u);  // the lowest of those who stay
  EXPECT_EQ(out[0].id.seq, (uint64_t{2} << 32) + 7);
  ASSERT_EQ(out[0].left.size(), 1u);
  EXPECT_EQ(out[0].left[0].reason, EVS_REASON_DIED);
  EXPECT_EQ(out[1].id.nodeid, 4u);
  ASSERT_EQ(out[1].joined.size(), 1u);
  EXPECT_EQ(out[1].joined[0].nodeid, 4u);
  EXPECT_EQ(out[1].flags, 0u);

  out.clear();
  teller.advance({14, 2, 0, {member(5)}, {}}, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].flags, EVS_CONFIGURATION_MERGED);
  EXPECT_EQ(out[1].flags, EVS_CONFIGURATION_MERGED);

  out.clear();
  teller.expelled(member(5), out);
  teller.advance({20, 2, 0, {member(9, 7)}, {}}, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].flags, EVS_CONFIGURATION_EXPELLED);
  EXPECT_EQ(out[0].id.nodeid, 5u);
  EXPECT_EQ(out[0].id.seq, (uint64_t{2} << 32) + 15);
  EXPECT_EQ(out[1].kind, EVS_CONFIGURATION_REGULAR);
  ASSERT_EQ(out[1].left.size(), 1u);
  EXPECT_EQ(out[1].left[0].nodeid, 5u);
}

TEST(Configuration, ANodeidInAnotherLifeIsAnotherProcessor) {
  ConfigurationTeller teller;
  std::vector<Configuration> out;
  teller.begin({2, 1, 0, {member(1), member(2, 1)}, {}}, member(1), out);
  out.clear();
  teller.advance({4, 1, 0, {member(1), member(2, 2)}, {member(2, 1, EVS_MEMBER_DIED)}}, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].left.size(), 1u);
  EXPECT_EQ(out[1].joined.size(), 1u);
}

}  // namespace
}  // namespace evs::runtime
