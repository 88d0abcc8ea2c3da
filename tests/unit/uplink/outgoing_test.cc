// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/outgoing_test.cc - packets on their way out: together, in order, in parts; and what happens when there is no room.
#include "bus/runtime/uplink/outgoing.h"

#include <gtest/gtest.h>

#include "bus/runtime/uplink/parts.h"
#include "tests/unit/uplink/fake_medium.h"

namespace evs::runtime::uplink {
namespace {

using ordering::Bytes;

struct Out {
  explicit Out(size_t largest = 1472) : air(largest), medium(air.add()), other(air.add()) {
    sealing::Settings settings;
    settings.host = 1;
    settings.life = {1, 1};
    auto begun = sealing::Sealing::begin(settings);  // in the clear
    seal = std::move(*begun);
    out = std::make_unique<Outgoing>(*seal, medium);
  }
  void add(size_t bytes) { out->add(EVS_PEER_ALL, std::vector<std::byte>(bytes, std::byte{7})); }
  Station& station() { return air.at(0); }

  Air air;
  const Medium medium, other;
  std::unique_ptr<sealing::Sealing> seal;
  std::unique_ptr<Outgoing> out;
};

constexpr size_t kHead = sealing::kOverheadClear;
constexpr ordering::Instant kNow{1'000'000};

TEST(Outgoing, IsHandedOnTogetherAndInOrder) {
  Out world;
  for (const size_t bytes : {10, 20, 30}) world.add(bytes);
  EXPECT_TRUE(world.station().sent.empty());
  EXPECT_TRUE(world.out->flush(kNow));
  EXPECT_EQ(world.station().sent, (std::vector<size_t>{10 + kHead, 20 + kHead, 30 + kHead}));
  EXPECT_EQ(world.out->counts().packets, 3u);
}

TEST(Outgoing, WaitsInItsOrderForRoom) {
  Out world;
  for (const size_t bytes : {10, 20, 30}) world.add(bytes);
  world.station().takes = 1;
  EXPECT_FALSE(world.out->flush(kNow));
  EXPECT_TRUE(world.out->is_waiting());
  world.add(40);
  world.station().takes = 2;
  EXPECT_FALSE(world.out->flush(kNow));
  world.station().takes = SIZE_MAX;
  EXPECT_TRUE(world.out->flush(kNow));
  EXPECT_EQ(world.station().sent, (std::vector<size_t>{10 + kHead, 20 + kHead, 30 + kHead, 40 + kHead}));
  EXPECT_EQ(world.out->counts().postponed, 2u);
  EXPECT_EQ(world.air.at(1).inbox.size(), 4u);
}

// An end of a wire that takes no large frames has "no room" for them, for ever.
TEST(Outgoing, OnePacketThatIsNeverTakenDoesNotStopTheOthers) {
  Out world;
  world.station().never_takes = 1000;
  for (const size_t bytes : {10, 1000, 30}) world.add(bytes);
  ordering::Instant now = kNow;
  const ordering::Instant began = now;
  for (int calls = 0; calls < 5'000; ++calls) EXPECT_FALSE(world.out->flush(now)) << "however often it is called: a queue needs time";
  while (!world.out->flush(now)) ASSERT_LT((now = now + 100'000) - began, 1'000'000'000u);
  EXPECT_EQ(now - began, 20'000'000u);
  EXPECT_EQ(world.station().sent, (std::vector<size_t>{10 + kHead, 30 + kHead}));
  EXPECT_EQ(world.out->counts().given_up, 1u);
  EXPECT_EQ(world.out->counts().given_up_bytes, 1000 + kHead);
}

// In the clear less stands before a packet than its seal takes, and the largest one is the same.
TEST(Outgoing, TheLargestPacketIsTaken) {
  for (const size_t largest : {1472, 9000, 65507, 65535}) {
    Out world(largest);
    world.add(world.out->packet_bytes());
    world.add(world.out->packet_bytes() + 1);  // in parts
    EXPECT_TRUE(world.out->flush(kNow));
    EXPECT_EQ(world.station().sent.size(), 3u) << largest;
    EXPECT_EQ(world.out->counts().refused, 0u) << largest;
  }
}

// What the medium has taken long ago does not count against what may wait.
TEST(Outgoing, TheBoundIsOfWhatWaits) {
  Out world(65507);
  world.station().takes = 0;
  world.add(60'000);
  for (int i = 0; i < 1000; ++i) {
    world.station().takes = 1;
    world.add(60'000);
    ASSERT_FALSE(world.out->flush(kNow));
  }
  EXPECT_EQ(world.out->counts().overflowed, 0u);
  world.station().takes = 0;
  for (int i = 0; i < 1000; ++i) world.add(60'000);
  EXPECT_GT(world.out->counts().overflowed, 800u);
  world.station().takes = SIZE_MAX;
  EXPECT_TRUE(world.out->flush(kNow));
}

TEST(Outgoing, WhatIsLargerThanAFrameGoesInParts) {
  Out world(500);
  world.add(1000);
  EXPECT_TRUE(world.out->flush(kNow));
  EXPECT_EQ(world.station().sent, (std::vector<size_t>{500, 500, 1000 + 3 * (kHead + kPartHeaderBytes) - 1000}));
  EXPECT_EQ(world.out->counts().cut, 1u);
}

// The path became narrower: one frame is lost, the others go in parts.
TEST(Outgoing, AMediumThatShrinksIsAskedAgain) {
  Out world(1472);
  world.air.shrink(600);
  world.add(1400);
  EXPECT_TRUE(world.out->flush(kNow));
  EXPECT_EQ(world.out->counts().too_big, 1u);
  world.add(1400);
  EXPECT_TRUE(world.out->flush(kNow));
  EXPECT_EQ(world.station().sent.size(), 3u);
}

TEST(Outgoing, AClosedMediumIsNoticed) {
  Out world;
  world.station().failure = EVS_P_CLOSED;
  world.add(10);
  EXPECT_TRUE(world.out->flush(kNow));
  EXPECT_TRUE(world.out->medium_is_closed());
}

std::vector<std::vector<std::byte>> parts_of(const std::vector<std::byte>& packet, size_t most, uint32_t id) {
  std::vector<std::vector<std::byte>> parts;
  std::vector<std::byte> scratch;
  EXPECT_TRUE(cut(packet, most, id, scratch, [&](Bytes part) { parts.emplace_back(part.begin(), part.end()); }));
  return parts;
}

const ordering::Host kSender{3, 9};

TEST(Parts, TheBytesAreThoseOfTheDocument) {
  const std::vector<std::byte> packet = {std::byte{0xaa}, std::byte{0xbb}, std::byte{0xcc}};
  const auto parts = parts_of(packet, 18, 5);
  ASSERT_EQ(parts.size(), 2u);
  const std::vector<unsigned char> first = {0x65, 0x76, 0x73, 0x70, 5, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0xaa, 0xbb};
  const std::vector<unsigned char> second = {0x65, 0x76, 0x73, 0x70, 5, 0, 0, 0, 1, 0, 2, 0, 3, 0, 0, 0, 0xcc};
  EXPECT_EQ(std::memcmp(parts[0].data(), first.data(), first.size()), 0);
  EXPECT_EQ(std::memcmp(parts[1].data(), second.data(), second.size()), 0);
  EXPECT_TRUE(is_part(parts[0]));
  EXPECT_FALSE(is_part(packet));
}

TEST(Parts, ComeTogetherAgain) {
  std::vector<std::byte> packet(50'000);
  for (size_t i = 0; i < packet.size(); ++i) packet[i] = static_cast<std::byte>(i * 31);
  Joiner joiner;
  for (int round = 0; round < 3; ++round) {
    const auto parts = parts_of(packet, 1400, static_cast<uint32_t>(round));
    for (size_t i = 0; i + 1 < parts.size(); ++i) EXPECT_TRUE(joiner.add(kSender, parts[i]).empty());
    const Bytes whole = joiner.add(kSender, parts.back());
    EXPECT_TRUE(std::equal(whole.begin(), whole.end(), packet.begin(), packet.end()));
  }
  EXPECT_EQ(joiner.broken_total(), 0u);
}

TEST(Parts, OneThatIsLostLosesThePacketAndNotTheNext) {
  const std::vector<std::byte> packet(3000, std::byte{1});
  Joiner joiner;
  const auto first = parts_of(packet, 1000, 1), second = parts_of(packet, 1000, 2);
  joiner.add(kSender, first[0]);
  EXPECT_TRUE(joiner.add(kSender, first[2]).empty());
  EXPECT_EQ(joiner.broken_total(), 1u);
  Bytes whole;
  for (const auto& part : second) whole = joiner.add(kSender, part);
  EXPECT_EQ(whole.size(), packet.size());
}

// Whatever stands in them: nothing grows, nothing is made up.
TEST(Parts, HostileOnesAreBroken) {
  const std::vector<std::byte> packet(3000, std::byte{1});
  const auto parts = parts_of(packet, 1000, 1);
  for (size_t at = 4; at < kPartHeaderBytes; ++at)
    for (const int value : {0, 1, 2, 3, 0x7f, 0xff}) {
      Joiner joiner;
      auto changed = parts;
      changed[1][at] = static_cast<std::byte>(value);
      size_t whole = 0;
      for (const auto& part : changed) whole = std::max(whole, joiner.add(kSender, part).size());
      EXPECT_TRUE(whole == 0 || changed == parts) << at << " " << value;
    }
  Joiner joiner;
  EXPECT_TRUE(joiner.add(kSender, Bytes(parts[0]).first(kPartHeaderBytes)).empty());
}

}  // namespace
}  // namespace evs::runtime::uplink
