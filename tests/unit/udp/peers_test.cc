// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/udp/peers_test.cc - who is known, who is pushed out, and that forged addresses push out nobody who matters.
#include "plugins/udp/peers.h"

#include <gtest/gtest.h>

#include <set>

namespace evs::udp {
namespace {

Address number(uint32_t n) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(5410);
  raw.sin_addr.s_addr = htonl(0x0a000000u + n);
  return *Address::of(reinterpret_cast<sockaddr*>(&raw));
}

std::string name(const Peers& peers, uint32_t index) {
  const Address* address = peers.find(index);
  return address == nullptr ? "nobody" : address->host();
}

TEST(Peers, OneAddressOneIndex) {
  Peers peers(1);
  const uint32_t a = peers.learn(number(1)), b = peers.learn(number(2));
  EXPECT_NE(a, b);
  EXPECT_EQ(peers.learn(number(1)), a);
  EXPECT_EQ(name(peers, b), "10.0.0.2");
  EXPECT_EQ(name(peers, kNoPeer), "nobody");
  EXPECT_EQ(name(peers, b + 1), "nobody");
}

TEST(Peers, AFloodPushesOutStrangersAlone) {
  Peers peers(1);
  const uint32_t configured = peers.configure(number(1)), vouched = peers.learn(number(2)), stranger = peers.learn(number(3));
  bool full = false;
  ASSERT_TRUE(peers.mark(vouched, full));
  for (uint32_t i = 0; i < 100'000; ++i) {
    peers.begin_round();
    ASSERT_NE(peers.learn(number(1000 + i)), kNoPeer);
  }
  EXPECT_EQ(peers.strangers(), kStrangers);
  EXPECT_EQ(peers.kept(), 2u);
  EXPECT_EQ(name(peers, configured), "10.0.0.1");
  EXPECT_EQ(name(peers, vouched), "10.0.0.2");
  EXPECT_EQ(name(peers, stranger), "nobody");
  EXPECT_EQ(peers.pushed_out(), 100'001 - kStrangers);
  EXPECT_EQ(peers.learn(number(2)), vouched);
}

// The list is read again when our own address has changed.
TEST(Peers, TheListMayTakeAndLeave) {
  Peers peers(1);
  const uint32_t one = peers.configure(number(1)), two = peers.configure(number(2)), stranger = peers.learn(number(3));
  bool full = false;
  const uint32_t vouched = peers.learn(number(4));
  ASSERT_TRUE(peers.mark(vouched, full));
  EXPECT_EQ(peers.configure(number(2)), two) << "it may be read twice";
  peers.release(number(1));
  peers.release(number(4));  // not the list's
  peers.release(number(9));
  EXPECT_EQ(name(peers, one), "nobody");
  EXPECT_EQ(peers.configure(number(3)), stranger) << "known before, and counts from here on";
  EXPECT_EQ(peers.configure(number(4)), vouched);
  EXPECT_EQ(peers.everybody(), (std::vector<uint32_t>{two, vouched, stranger}));
  EXPECT_EQ(peers.kept(), 3u);
  EXPECT_EQ(peers.strangers(), 0u);
  for (const uint32_t index : {stranger, vouched}) peers.forget(index);  // the list does not let go
  EXPECT_EQ(peers.everybody().size(), 3u);
  const uint32_t again = peers.configure(number(1));
  EXPECT_NE(again, one);
  EXPECT_EQ(name(peers, again), "10.0.0.1");
  EXPECT_EQ(peers.learn(number(1)), again);
}

TEST(Peers, WhoWasHeardLongestAgoGoesFirst) {
  Peers peers(1);
  std::vector<uint32_t> index;
  for (uint32_t i = 0; i < kStrangers; ++i) index.push_back(peers.learn(number(i)));
  peers.begin_round();
  peers.learn(number(0));
  peers.learn(number(5000));
  EXPECT_EQ(name(peers, index[0]), "10.0.0.0");
  EXPECT_EQ(name(peers, index[1]), "nobody");
}

TEST(Peers, NobodyOfARoundIsPushedOutInIt) {
  Peers peers(1);
  peers.begin_round();
  std::set<uint32_t> given;
  for (uint32_t i = 0; i < kStrangers; ++i) given.insert(peers.learn(number(i)));
  EXPECT_EQ(peers.learn(number(5000)), kNoPeer);
  for (const uint32_t index : given) EXPECT_NE(peers.find(index), nullptr);
  peers.begin_round();
  EXPECT_NE(peers.learn(number(5000)), kNoPeer);
}

TEST(Peers, AnOldIndexLeadsNowhere) {
  Peers peers(1);
  std::set<uint32_t> seen;
  for (uint32_t i = 0; i < 50 * kStrangers; ++i) {
    peers.begin_round();
    ASSERT_TRUE(seen.insert(peers.learn(number(i))).second) << "an index came back within its generations";
  }
  size_t known = 0;
  for (const uint32_t index : seen) known += peers.find(index) != nullptr;
  EXPECT_EQ(known, kStrangers);
}

TEST(Peers, ForgottenIsAStrangerAgain) {
  Peers peers(1);
  const uint32_t index = peers.learn(number(1)), configured = peers.configure(number(2));
  bool full = false;
  ASSERT_TRUE(peers.mark(index, full));
  EXPECT_EQ(peers.everybody().size(), 2u);
  peers.forget(index);
  peers.forget(configured);  // of the configuration: it stays
  peers.forget(kNoPeer);
  EXPECT_EQ(peers.everybody(), (std::vector<uint32_t>{configured}));
  EXPECT_EQ(name(peers, index), "10.0.0.1");
  for (uint32_t i = 0; i < kStrangers; ++i) {
    peers.begin_round();
    peers.learn(number(100 + i));
  }
  EXPECT_EQ(name(peers, index), "nobody");
  EXPECT_FALSE(peers.mark(index, full));
  EXPECT_FALSE(full);
}

TEST(Peers, ForgottenAmongAllTheStrangersOfARound) {
  Peers peers(1);
  const uint32_t index = peers.learn(number(1));
  bool full = false;
  ASSERT_TRUE(peers.mark(index, full));
  peers.begin_round();
  for (uint32_t i = 0; i < kStrangers; ++i) ASSERT_NE(peers.learn(number(100 + i)), kNoPeer);
  peers.forget(index);  // nobody of the round may go for it: it goes itself
  EXPECT_EQ(peers.strangers(), kStrangers);
  EXPECT_EQ(name(peers, index), "nobody");
}

TEST(Peers, MoreThanFitAreRefused) {
  Peers peers(1);
  const uint32_t most = kPlaces - kStrangers;
  for (uint32_t i = 0; i < most; ++i) ASSERT_NE(peers.configure(number(i)), kNoPeer);
  EXPECT_EQ(peers.configure(number(most)), kNoPeer);
  EXPECT_NE(peers.configure(number(0)), kNoPeer);  // it is there
  const uint32_t stranger = peers.learn(number(5000));
  ASSERT_NE(stranger, kNoPeer) << "strangers have places of their own";
  bool full = false;
  EXPECT_FALSE(peers.mark(stranger, full));
  EXPECT_TRUE(full);
}

}  // namespace
}  // namespace evs::udp
