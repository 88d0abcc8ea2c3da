// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/published_test.cc - one writes, others read, and what they read is whole; also when the writer is killed in the midst.
#include "bus/runtime/uplink/published.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/support/dice.h"

namespace evs::runtime::uplink {
namespace {

using test::Dice;
using test::mix;

constexpr size_t kRoom = 2048;
using ByteVector = std::vector<std::byte>;

struct Ground {
  Ground() : memory(static_cast<std::byte*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Ground() { munmap(memory, kBytes); }
  Published open() const { return {reinterpret_cast<PublishedHead*>(memory), memory + 64, kRoom}; }
  PublishedHead& head() const { return *reinterpret_cast<PublishedHead*>(memory); }

  static constexpr size_t kBytes = 64 + 2 * kRoom;
  std::byte* const memory;
};

// Any reader can judge it: its size and each of its words follow from the first one.
ByteVector certified(uint64_t number) {
  ByteVector bytes(8 + mix(number) % (kRoom - 8));
  std::memcpy(bytes.data(), &number, sizeof number);
  for (size_t i = 8; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(mix(number + i / 8) >> (i % 8 * 8));
  return bytes;
}
bool is_whole(const ByteVector& bytes) {
  uint64_t number = 0;
  if (bytes.size() < sizeof number) return false;
  std::memcpy(&number, bytes.data(), sizeof number);
  return bytes == certified(number);
}

TEST(Published, NothingUntilSomething) {
  const Ground ground;
  Published published = ground.open();
  ByteVector bytes;
  EXPECT_EQ(published.read(bytes), 0u);
  EXPECT_TRUE(published.publish(certified(1)));
  EXPECT_EQ(published.read(bytes), 1u);
  EXPECT_EQ(bytes, certified(1));
  EXPECT_TRUE(published.publish({}));
  EXPECT_EQ(published.read(bytes), 2u);
  EXPECT_TRUE(bytes.empty());
}

TEST(Published, WhatDoesNotFitChangesNothing) {
  const Ground ground;
  Published published = ground.open();
  published.publish(certified(1));
  EXPECT_FALSE(published.publish(ByteVector(kRoom + 1)));
  ByteVector bytes;
  EXPECT_EQ(published.read(bytes), 1u);
  EXPECT_EQ(bytes, certified(1));
  EXPECT_TRUE(published.publish(ByteVector(kRoom)));
}

TEST(Published, ASizeThatIsNonsenseIsBounded) {
  const Ground ground;
  Published published = ground.open();
  published.publish(certified(1));
  ground.head().bytes[1].store(UINT64_MAX);
  ByteVector bytes;
  EXPECT_EQ(published.read(bytes), 1u);
  EXPECT_EQ(bytes.size(), kRoom);
}

TEST(Published, IsNeverTorn) {
  const Ground ground;
  std::atomic<bool> over{false};
  std::atomic<uint64_t> torn{0}, reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      ByteVector bytes;
      const Published published = ground.open();
      for (uint64_t last = 0; !over.load(std::memory_order_relaxed);) {
        const uint64_t turn = published.read(bytes);
        if (turn == 0) continue;
        if (turn < last || !is_whole(bytes)) torn.fetch_add(1);
        last = turn;
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  Published published = ground.open();
  for (uint64_t number = 1; number <= 5000 || reads.load() < 5000; ++number) {
    published.publish(certified(number));
    if (number % 16 == 0) std::this_thread::yield();
  }
  over.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0u);
}

// Each child publishes until it is killed at whatever instruction; the next one goes on from what is there.
TEST(Published, AWriterThatIsKilledInTheMidstLeavesTheOneBefore) {
  const Ground ground;
  Dice dice(1);
  ByteVector bytes;
  uint64_t turn = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t child = fork();
    if (child == 0)
      for (Published published = ground.open();;) published.publish(certified(published.turn() + 1));
    const Published published = ground.open();
    const uint64_t wanted = turn + 1 + dice.below(200);
    while (published.turn() < wanted) {
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const uint64_t now = published.read(bytes);
    EXPECT_GE(now, wanted);
    EXPECT_EQ(bytes, certified(now));
    turn = now;
  }
}

}  // namespace
}  // namespace evs::runtime::uplink
