// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_bounds_test.cc - what nobody of good will would send, field by field: reserved bytes, numbers beside their bounds, sets out of
// order, the largest of each packet and one more. Shapes of attacks: wire_hostile_test.cc.
#include <gtest/gtest.h>

#include "bus/ordering/wire_layout.h"
#include "tests/unit/ordering/wire_spoilt.h"

namespace evs::ordering::wire {
namespace {

TEST(WireHostile, ReservedBytesAreZero) {
  const std::vector<std::pair<std::string, std::vector<size_t>>> reserved = {
      {"token", {85, 86, 87, 124, 127, 140}}, {"join", {30, 31, 44, 47, 60, 76}}, {"probe", {28, 31}},
      {"hold_cancel", {28, 31}}, {"commit", {52, 55, 60, 76, 92, 108, 125, 126, 127}}};
  for (const auto& [name, places] : reserved)
    for (const size_t at : places) EXPECT_EQ(verdict_of<uint8_t>(name, at, 1), Malformed::range) << name << " at " << at;
}

TEST(WireHostile, NumbersBesideTheirBoundsAreRefused) {
  for (const char* name : {"data", "token", "commit", "probe", "hold_cancel"}) {
    EXPECT_EQ(verdict_of<uint32_t>(name, 24, 0), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint32_t>(name, 24, kMaxHostId + 1), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint64_t>(name, 32, 0), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint64_t>(name, 32, kMaxSequence), Malformed::none) << name;
    EXPECT_EQ(verdict_of<uint64_t>(name, 32, kMaxSequence + 1), Malformed::range) << name;
  }
  EXPECT_EQ(verdict_of<uint64_t>("join", 32, kMaxSequence), Malformed::none);
  EXPECT_EQ(verdict_of<uint64_t>("join", 32, kMaxSequence + 1), Malformed::range);
  EXPECT_EQ(verdict_of<uint8_t>("data", 28, 4), Malformed::range);
  EXPECT_EQ(verdict_of<uint8_t>("data", 29, 2), Malformed::range);
  EXPECT_EQ(verdict_of<uint64_t>("data", 48, 0), Malformed::range);
  EXPECT_EQ(verdict_of<uint64_t>("data", 56, 300), Malformed::range);  // before itself
  EXPECT_EQ(verdict_of<uint64_t>("data", 56, 299), Malformed::none);
  EXPECT_EQ(verdict_of<uint64_t>("token", 64, 401), Malformed::range);
  EXPECT_EQ(verdict_of<uint64_t>("token", 64, 400), Malformed::none);
  EXPECT_EQ(verdict_of<uint32_t>("token", 28, kMaxHostId + 1), Malformed::range);
  EXPECT_EQ(verdict_of<uint8_t>("token", 84, 5), Malformed::range);        // no such stage
  EXPECT_EQ(verdict_of<uint8_t>("token", 84, 3), Malformed::range);        // which ends at nobody in particular
  EXPECT_EQ(verdict_of<uint8_t>("token", 84, 4), Malformed::none);
  EXPECT_EQ(verdict_of<uint64_t>("token", 88, 401), Malformed::range);     // a change, above high
  EXPECT_EQ(verdict_of<uint64_t>("token", 96, 401), Malformed::range);     // delivered by all, above high
  EXPECT_EQ(verdict_of<uint32_t>("token", 104, 0), Malformed::range);      // ends at nobody
  EXPECT_EQ(verdict_of<uint32_t>("token", 108, kMaxHostId + 1), Malformed::range);
  EXPECT_EQ(verdict_of<uint32_t>("commit", 28, 4), Malformed::none);
  EXPECT_EQ(verdict_of<uint32_t>("commit", 28, 5), Malformed::range);
  EXPECT_EQ(verdict_of<uint32_t>("commit", 24, 7), Malformed::range);  // host 7 is a member, with another nonce
  EXPECT_EQ(verdict_of<uint8_t>("commit", 124, 2), Malformed::range);
  EXPECT_EQ(verdict_of<uint8_t>("commit", 124, 0), Malformed::range);    // not filled, and not empty
  EXPECT_EQ(verdict_of<uint64_t>("commit", 128, kMaxSequence + 1), Malformed::range);  // of the old ring
  EXPECT_EQ(verdict_of<uint64_t>("commit", 144, 411), Malformed::range);  // received up to, above high
  EXPECT_EQ(verdict_of<uint64_t>("commit", 160, 411), Malformed::range);  // delivered, above high
  EXPECT_EQ(verdict_of<uint64_t>("commit", 168, 7), Malformed::range);    // a bit for nobody
  EXPECT_EQ(verdict_of<uint64_t>("commit", 168, 1), Malformed::range);    // somebody without a bit
  // The second entry is not filled: nothing may stand in it. Filled, it comes from no ring, and may hold no frame of one.
  for (size_t at = 176; at < 232; at += 8) EXPECT_EQ(verdict_of<uint8_t>("commit", at, 1), Malformed::range) << at;
  const Packet from_nowhere = with<uint8_t>(sample("commit"), 180, kEntryFilled);
  EXPECT_EQ(again(from_nowhere).why, Malformed::none);
  EXPECT_EQ(again(with<uint8_t>(from_nowhere, 208, 1)).why, Malformed::range);
}

TEST(WireHostile, SetsAreSortedAndNameNobodyTwice) {
  EXPECT_EQ(verdict_of<uint32_t>("join", 40, 8), Malformed::order);
  EXPECT_EQ(again(with<uint64_t>(with<uint32_t>(sample("join"), 40, 7), 48, kSeven.nonce)).why, Malformed::order);
  EXPECT_EQ(again(with<uint64_t>(with<uint32_t>(sample("join"), 40, 7), 48, kSeven.nonce - 1)).why, Malformed::none);
  EXPECT_EQ(verdict_of<uint32_t>("join", 40, 0), Malformed::range);
  EXPECT_EQ(verdict_of<uint32_t>("join", 72, kMaxHostId + 1), Malformed::range);
  EXPECT_EQ(verdict_of<uint64_t>("join", 88, kSeven.nonce - 1), Malformed::order);
  EXPECT_EQ(verdict_of<uint64_t>("join", 88, kSeven.nonce), Malformed::order);
  EXPECT_EQ(verdict_of<uint64_t>("join", 96, 0), Malformed::order);
  EXPECT_EQ(verdict_of<uint32_t>("commit", 56, 8), Malformed::order);
  EXPECT_EQ(verdict_of<uint32_t>("commit", 88, 10), Malformed::order);
}

Hosts many(size_t count, HostId first) {
  Hosts all;
  for (size_t i = 0; i < count; ++i) all.push_back({static_cast<HostId>(first + i), 1});
  return all;
}

Commit largest(size_t members) {
  Commit commit;
  commit.members = many(members, 1);
  commit.ring = {1, 1, 1};
  commit.index = static_cast<uint32_t>(2 * members);
  commit.entries.resize(members);
  for (size_t i = 0; i < members; ++i) {
    commit.entries[i].old_ring = kOldRing;
    commit.entries[i].filled = true;
    commit.entries[i].obligations = many(kMaxHosts, static_cast<HostId>(1 + i % 3 * kMaxHosts));
  }
  return commit;
}

TEST(WireHostile, TheLargestOfEachFitsIntoADatagramAndOneMoreIsRefused) {
  Commit commit = largest(kMaxHosts);
  Packet packet;
  ASSERT_TRUE(encode(kSeven, commit, packet));
  EXPECT_LE(packet.size(), kDatagramBytes);
  EXPECT_TRUE(again(packet).consistent);
  EXPECT_EQ(again(packet).why, Malformed::none);
  commit.entries[0].obligations = many(kMaxHosts, 2 * kMaxHosts + 2);  // somebody is one too many altogether
  EXPECT_FALSE(may_be_sent(commit));
  EXPECT_FALSE(may_be_sent(largest(kMaxHosts + 1)));
  commit = largest(3);
  commit.entries[0].obligations = many(kMaxHosts + 1, 1);
  EXPECT_FALSE(may_be_sent(commit));
  commit = largest(3);
  commit.entries.pop_back();
  EXPECT_FALSE(may_be_sent(commit));

  Join join{.candidates = many(kMaxHosts, 1), .failed = many(kMaxHosts, 1)};
  EXPECT_TRUE(may_be_sent(join));
  join.failed = many(kMaxHosts + 1, 1);
  EXPECT_FALSE(may_be_sent(join));
  std::swap(join.candidates, join.failed);
  EXPECT_FALSE(may_be_sent(join));

  Packet payload;
  append_piece({.bytes = Packet(kMaxPacketBytes - kDataHeaderBytes - kPieceBytes)}, payload);
  Data data = sample_data(payload);
  data.piece_count = 1;
  EXPECT_TRUE(may_be_sent(data));
  payload.push_back(std::byte{0});
  data.payload = payload;
  EXPECT_FALSE(may_be_sent(data));
}

TEST(WireHostile, AnEntryBringsMoreThanItMay) {
  // 257 obligations by their bits alone.
  Commit commit = largest(2);
  commit.entries[1].obligations = many(1, 1000);
  Packet packet;
  ASSERT_TRUE(encode(kSeven, commit, packet));
  const size_t entries = kCommitBytes + (2 + kMaxHosts + 1) * kHostBytes;
  EXPECT_EQ(again(packet).why, Malformed::none);
  EXPECT_EQ(again(with<uint64_t>(packet, entries + kEntryBytes + 32, 1)).why, Malformed::length);
  EXPECT_EQ(again(with<uint64_t>(packet, entries + kEntryBytes + 32, 2)).why, Malformed::length);
  // A member that comes from no ring holds no frames of it.
  commit.entries[0].old_ring = {};
  EXPECT_TRUE(may_be_sent(commit));
  commit.entries[0].high = {1};
  EXPECT_FALSE(may_be_sent(commit));
}

TEST(WireHostile, ASenderWithoutANameSaysNothing) {
  for (const HostId id : {kNoHost, kMaxHostId + 1}) {
    const Host nobody{id, 1};
    EXPECT_FALSE(may_be_sent(sample_data({}), nobody));
    EXPECT_FALSE(may_be_sent(sample_token(), nobody));
    EXPECT_FALSE(may_be_sent(sample_join(), nobody));
    EXPECT_FALSE(may_be_sent(sample_commit(), nobody));
    EXPECT_FALSE(may_be_sent(Probe{kOldRing}, nobody));
    EXPECT_FALSE(may_be_sent(HoldCancel{kOldRing}, nobody));
  }
  EXPECT_FALSE(may_be_sent(Probe{}));
  EXPECT_FALSE(may_be_sent(HoldCancel{}));
}

}  // namespace
}  // namespace evs::ordering::wire
