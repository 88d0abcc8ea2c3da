// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/sealing_allocation_test.cc - who seals and opens all day asks nobody for memory: neither operator new, nor OpenSSL malloc.
//
// A program of its own: it counts both.
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdlib>

#include "tests/support/counted_new.h"
#include "tests/unit/sealing/sealing_world.h"

namespace {

size_t g_openssl = 0;

void* count_malloc(size_t bytes, const char*, int) {
  ++g_openssl;
  return std::malloc(bytes);
}
void* count_realloc(void* at, size_t bytes, const char*, int) {
  ++g_openssl;
  return std::realloc(at, bytes);
}
void count_free(void* at, const char*, int) { std::free(at); }

// Before OpenSSL has allocated anything.
const bool g_counts = CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) == 1;

}  // namespace

namespace evs::runtime::sealing {
namespace {

constexpr size_t kBatch = 64, kBytes = 1400;

struct Traffic {
  Traffic(Station& sender, Station& receiver) : from(sender), to(receiver), packets(kBatch, Letter(kBytes)), rooms(kBatch, Letter(kBytes + kOverheadSealed)) {
    seals.resize(kBatch);
    opens.resize(kBatch);
  }
  // A batch goes out, is damaged or repeated as told, and comes in. Answers how many were opened.
  size_t carry(bool damage, bool twice) {
    for (size_t i = 0; i < kBatch; ++i) seals[i] = {packets[i], rooms[i]};
    EXPECT_EQ(from.sealing->seal(seals), SealStatus::ok);
    if (damage)
      for (Letter& room : rooms) room.back() ^= std::byte{1};
    for (size_t i = 0; i < kBatch; ++i) opens[i] = {rooms[i]};
    const size_t opened = to.sealing->open(kSecond, opens);
    if (twice) to.sealing->open(kSecond, opens);
    return opened;
  }
  Station& from;
  Station& to;
  std::vector<Letter> packets, rooms;
  std::vector<ToSeal> seals;
  std::vector<ToOpen> opens;
};

TEST(SteadyState, AllocatesNothing) {
  ASSERT_TRUE(g_counts) << "OpenSSL had allocated before";
  // From just before the end of a stretch: its second context is made in the warm-up.
  Station a({.first_counter = (uint64_t{1} << kStretchBits) - 100}), b({.host = 2});
  Traffic traffic(a, b);
  const size_t at_all = g_allocations + g_openssl;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(traffic.carry(false, false), kBatch);
  EXPECT_EQ(traffic.carry(true, true), 0u);
  ASSERT_GT(g_allocations + g_openssl, at_all) << "the counting is asleep";
  const size_t warm = g_allocations, warm_openssl = g_openssl;
  size_t opened = 0;
  for (int i = 0; i < 200; ++i) opened += traffic.carry(i % 10 == 0, i % 7 == 0);
  EXPECT_EQ(g_allocations - warm, 0u);
  EXPECT_EQ(g_openssl - warm_openssl, 0u);
  EXPECT_EQ(opened, 180 * kBatch);
}

// Forged senders make derivations, for which OpenSSL takes memory and gives it back; we take none.
TEST(SteadyState, AFloodOfStrangersAllocatesNothingOfOurs) {
  Station b({.host = 2});
  Letter letter(200);
  ToOpen item;
  const auto forge = [&](uint32_t host) {
    write_header(letter.data(), {Form::sealed, 1, host, {host, host}, host});
    item = {letter};
    EXPECT_EQ(b.sealing->open(kSecond, {&item, 1}), 0u);
  };
  for (uint32_t host = 10; host < 20; ++host) forge(host);
  const size_t warm = g_allocations;
  for (uint32_t host = 20; host < 5000; ++host) forge(host);
  EXPECT_EQ(g_allocations - warm, 0u);
  EXPECT_EQ(b.count(Refusal::tag), 4990u);
}

}  // namespace
}  // namespace evs::runtime::sealing
