// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/steady_allocation_test.cc - a ring that is at work asks nobody for memory.
//
// A program of its own: it counts what operator new is asked for. Members of one ring hand each other packets, all of them have something
// to say all the time; once every buffer has found its size, messages come and go in memory that is there.
#include <gtest/gtest.h>

#include "tests/support/counted_new.h"
#include "tests/unit/ordering/memory_ring.h"

namespace evs::ordering {
namespace {

Settings small_store() {
  Settings settings;
  settings.store_frames = 1024;  // every slot is used soon
  settings.queue_bytes = 1 << 18;
  return settings;
}

struct Busy {
  Busy(uint32_t hosts, std::vector<size_t> message_sizes) : ring(hosts, small_store()), sizes(std::move(message_sizes)), submitted(hosts) {
    ring.until_one_ring();
  }

  // Each member has some messages under way until `steps` letters have arrived; they come in all sizes and services by turns.
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      for (HostId id = 1; id <= ring.hosts(); ++id) {
        uint64_t& mine = submitted[id - 1];
        if (mine - ring.member(id).stamped >= kUnderWay) continue;
        const size_t bytes = sizes[mine % sizes.size()];
        const auto service = static_cast<Service>(mine / sizes.size() % 4);
        ASSERT_EQ(ring.submit(id, service, Bytes(message).first(bytes)), Submitted::ok);
        ++mine;
      }
      ring.step();
    }
  }
  // Delivered by all members together.
  uint64_t delivered() {
    uint64_t sum = 0;
    for (HostId id = 1; id <= ring.hosts(); ++id) sum += ring.member(id).delivered;
    return sum;
  }

  static constexpr uint64_t kUnderWay = 20;
  MemoryRing ring;
  std::vector<size_t> sizes;
  std::vector<uint64_t> submitted;
  std::vector<std::byte> message = std::vector<std::byte>(100'000, std::byte{0x5a});
};

// Answers what was asked for after the warm-up, and checks that the ring was at work.
size_t allocations_of(uint32_t hosts, std::vector<size_t> sizes, uint64_t least_delivered) {
  const size_t before = g_allocations;
  Busy busy(hosts, std::move(sizes));
  busy.run(60'000);
  const size_t warm = g_allocations;
  const uint64_t delivered = busy.delivered();
  EXPECT_GT(warm, before);  // the counter counts
  busy.run(40'000);
  const size_t steady = g_allocations - warm;
  EXPECT_GT(busy.delivered() - delivered, least_delivered);
  EXPECT_TRUE(busy.ring.is_one_ring());
  for (HostId id = 1; id <= hosts; ++id) EXPECT_EQ(busy.ring.member(id).protocol.entered_gather(Why::token_lost), 0u);
  return steady;
}

TEST(SteadyAllocation, SmallMessagesAskForNothing) { EXPECT_EQ(allocations_of(3, {64}, 50'000), 0u); }

TEST(SteadyAllocation, MessagesThatFillAFrameAskForNothing) { EXPECT_EQ(allocations_of(2, {1200}, 20'000), 0u); }

TEST(SteadyAllocation, MessagesOfFragmentsAskForNothing) { EXPECT_EQ(allocations_of(3, {5'000}, 10'000), 0u); }

TEST(SteadyAllocation, AllSizesTogetherAskForNothing) { EXPECT_EQ(allocations_of(3, {64, 5'000, 0, 20'000, 1300}, 10'000), 0u); }

}  // namespace
}  // namespace evs::ordering
