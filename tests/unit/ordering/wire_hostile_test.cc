// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_hostile_test.cc - what nobody of good will would send: the shapes of the field's two CVEs, numbers beside
// their bounds, sets out of order, packets within packets.
//
// CVE-2026-35091: a commit token that ended before its list was taken for a whole one. CVE-2026-35092: the sum of two list lengths, kept in
// 32 bits, wrapped, and passed the comparison with the packet's size.
#include <gtest/gtest.h>

#include <functional>

#include "bus/ordering/little_endian.h"
#include "bus/ordering/wire_layout.h"
#include "tests/unit/ordering/wire_again.h"
#include "tests/unit/ordering/wire_dice.h"
#include "tests/unit/ordering/wire_samples.h"

namespace evs::ordering::wire {
namespace {

Packet sample(const std::string& name) {
  for (const Sample& each : samples())
    if (each.name == name) return each.bytes;
  ADD_FAILURE() << "no sample " << name;
  return {};
}

template <typename T>
Packet with(Packet packet, size_t at, T value) {
  store_little(packet.data() + at, value);
  return packet;
}

template <typename T>
Malformed verdict_of(const std::string& name, size_t at, T value) {
  const Verdict verdict = again(with(sample(name), at, value));
  EXPECT_TRUE(verdict.consistent) << name << " at " << at;
  return verdict.why;
}

// What the encoder says of it: nothing appended when it refuses.
template <typename Said>
bool may_be_sent(const Said& said, const Host& sender = kSeven) {
  Packet out(5);
  const bool sent = encode(sender, said, out);
  EXPECT_EQ(sent, out.size() > 5);
  return sent;
}

TEST(WireHostile, ACommitThatEndsBeforeItsListsIsNoCommit) {
  for (size_t length = kHeaderBytes; length < sample("commit").size(); ++length) {
    Packet cut = sample("commit");
    cut.resize(length);
    EXPECT_EQ(again(with(cut, 12, static_cast<uint32_t>(length))).why, Malformed::truncated) << length;
  }
  EXPECT_EQ(verdict_of<uint16_t>("commit", 48, 3), Malformed::truncated);
  EXPECT_EQ(verdict_of<uint16_t>("commit", 48, 1), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("commit", 48, 0), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("commit", 50, 3), Malformed::truncated);
}

TEST(WireHostile, CountsWhoseSumsOrProductsWouldWrapAreRefused) {
  // Times 16, each of these is a small number in 32 bits.
  for (const uint32_t count : {0x10000000u, 0x10000002u, 0xf0000002u, 0xffffffffu, 0x80000000u, kMaxWanted + 1})
    EXPECT_EQ(verdict_of("token", 80, count), Malformed::length) << count;
  EXPECT_EQ(verdict_of<uint32_t>("join", 24, 0xffffffff), Malformed::length);
  EXPECT_EQ(verdict_of<uint32_t>("join", 24, 0x0003'ffff), Malformed::length);
  EXPECT_EQ(verdict_of<uint32_t>("join", 24, 0xffff'0003), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("join", 28, kMaxSuperseded + 1), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("join", 28, 3), Malformed::truncated);
  EXPECT_EQ(verdict_of<uint16_t>("join", 28, 1), Malformed::length);
  EXPECT_EQ(verdict_of<uint32_t>("commit", 48, 0xffffffff), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("commit", 50, kMaxObliged + 1), Malformed::length);
  // Three in two lists is three, whichever list they are in; two and two is not.
  EXPECT_EQ(verdict_of<uint32_t>("join", 24, 0x0001'0002), Malformed::none);
  EXPECT_EQ(verdict_of<uint32_t>("join", 24, 0x0002'0002), Malformed::truncated);
}

TEST(WireHostile, PiecesThatReachBeyondTheirPacketAreRefused) {
  constexpr size_t kFirst = kDataHeaderBytes, kSecond = kFirst + kPieceBytes + 5;
  for (const uint32_t length : {0xffffffffu, 0xfffffff8u, 0xffffffe8u, 0x80000000u, 6u, 4u, 0u})
    EXPECT_EQ(verdict_of("data", kFirst, length), Malformed::length) << length;
  for (const uint32_t length : {0xffffffffu, 0xffffffe8u, 7u, 5u, 0u})
    EXPECT_EQ(verdict_of("data", kSecond, length), Malformed::length) << length;
  EXPECT_EQ(verdict_of<uint16_t>("data", 30, 1), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("data", 30, 3), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("data", 30, kMaxPieces), Malformed::length);
  EXPECT_EQ(verdict_of<uint16_t>("data", 30, kMaxPieces + 1), Malformed::range);
  EXPECT_EQ(verdict_of<uint8_t>("data", kFirst + 4, 0), Malformed::length);  // a whole message that is not all
  EXPECT_EQ(verdict_of<uint8_t>("data", kFirst + 4, 6), Malformed::length);
  EXPECT_EQ(verdict_of<uint8_t>("data", kFirst + 5, 1), Malformed::length);
  // Six bytes, the second fragment at least, not the last: eight bytes are the least that the whole may have.
  EXPECT_EQ(verdict_of<uint32_t>("data", kSecond + 20, 8), Malformed::none);
  EXPECT_EQ(verdict_of<uint32_t>("data", kSecond + 20, 7), Malformed::length);
  EXPECT_EQ(verdict_of<uint32_t>("data", kSecond + 16, 4993), Malformed::none);
  EXPECT_EQ(verdict_of<uint32_t>("data", kSecond + 16, 4994), Malformed::length);
  EXPECT_EQ(verdict_of<uint32_t>("data", kSecond + 16, 0xffffffff), Malformed::length);
}

// By itself: in a packet the sum of the pieces would be refused as well.
TEST(WireHostile, APieceIsRefusedBeforeItsPacketIs) {
  const auto takes = [](const Packet& payload) {
    Bytes rest = payload;
    Piece piece;
    return take_piece(rest, piece);
  };
  Packet fragment;
  append_piece({.bytes = bytes_of("world!"), .fragment = true, .total_bytes = UINT32_MAX, .last = false}, fragment);
  EXPECT_TRUE(takes(fragment));
  for (const uint32_t length : {0xffffffe8u, 0xfffffff0u, 7u}) EXPECT_FALSE(takes(with(fragment, 0, length))) << length;
  EXPECT_FALSE(takes(with<uint32_t>(fragment, 0, 0)));  // of nothing
  for (size_t bytes = 0; bytes < fragment.size(); ++bytes)
    EXPECT_FALSE(takes(Packet(fragment.begin(), fragment.begin() + bytes))) << bytes;
  Packet whole;
  append_piece({}, whole);
  EXPECT_TRUE(takes(whole));
  for (const uint32_t length : {0xfffffff8u, 1u}) EXPECT_FALSE(takes(with(whole, 0, length))) << length;
}

TEST(WireHostile, RangesDoNotWrapNorReachBeyondWhatHasAPlace) {
  Token token = sample_token();
  token.high = {UINT64_MAX};
  token.wanted = {{{UINT64_MAX - 1}, 2}};
  EXPECT_TRUE(may_be_sent(token));
  Packet packet;
  ASSERT_TRUE(encode(kSeven, token, packet));
  EXPECT_EQ(again(with<uint32_t>(packet, kTokenBytes + 8, 3)).why, Malformed::range);
  EXPECT_EQ(again(with<uint32_t>(packet, kTokenBytes + 8, UINT32_MAX)).why, Malformed::range);
  EXPECT_EQ(again(with<uint32_t>(packet, kTokenBytes + 8, 0)).why, Malformed::range);
  EXPECT_EQ(again(with<uint64_t>(packet, kTokenBytes, 0)).why, Malformed::range);
  EXPECT_EQ(verdict_of<uint64_t>("token", 56, 294), Malformed::range);  // high, below what is wanted
  EXPECT_EQ(verdict_of<uint64_t>("token", 56, 295), Malformed::none);
  EXPECT_EQ(verdict_of<uint64_t>("token", kTokenBytes + 16, 292), Malformed::order);  // overlaps the first
  EXPECT_EQ(verdict_of<uint64_t>("token", kTokenBytes + 16, 293), Malformed::none);
  EXPECT_EQ(verdict_of<uint64_t>("token", kTokenBytes + 16, 100), Malformed::order);
  token.wanted.clear();
  for (uint64_t i = 0; i < kMaxWanted; ++i) token.wanted.push_back({{1 + 2 * i}, 1});
  EXPECT_TRUE(may_be_sent(token));
  token.wanted.push_back({{1000}, 1});
  EXPECT_FALSE(may_be_sent(token));
}

TEST(WireHostile, APacketWithinAPacketGoesOneLevelDeep) {
  EXPECT_EQ(verdict_of<uint8_t>("recovered", kDataHeaderBytes + 29, 1), Malformed::range);
  // As many levels as fit: who recurses needs a stack for them.
  Packet nest = sample("data");
  RingId ring = kNewRing;
  while (nest.size() + kDataHeaderBytes <= kMaxPacketBytes) {
    Data outer = sample_recovered(nest);
    outer.ring = ring;
    ++ring.sequence;
    Packet out;
    ASSERT_TRUE(encode(kSeven, outer, out));
    EXPECT_EQ(again(out).why, ring.sequence == kNewRing.sequence + 1 ? Malformed::none : Malformed::range);
    nest = out;
  }
  EXPECT_EQ(verdict_of<uint8_t>("recovered", kDataHeaderBytes + 5, 2), Malformed::type);       // a token inside
  EXPECT_EQ(verdict_of<uint8_t>("recovered", kDataHeaderBytes + 4, 2), Malformed::version);
  EXPECT_EQ(verdict_of<uint32_t>("recovered", kDataHeaderBytes + 12, 114), Malformed::length);
  EXPECT_EQ(verdict_of<uint32_t>("recovered", kDataHeaderBytes + 12, 116), Malformed::truncated);
  EXPECT_EQ(verdict_of<uint64_t>("recovered", kDataHeaderBytes + 32, 6), Malformed::range);    // of the same ring
  EXPECT_EQ(verdict_of<uint16_t>("recovered", 30, 1), Malformed::range);                       // it has no pieces itself
}

TEST(WireHostile, TheHeaderIsHeldToItsVersion) {
  for (const char* name : {"data", "recovered", "token", "join", "commit", "probe", "hold_cancel"}) {
    EXPECT_EQ(verdict_of<uint8_t>(name, 0, 'E'), Malformed::magic) << name;
    EXPECT_EQ(verdict_of<uint8_t>(name, 4, 0), Malformed::version) << name;
    EXPECT_EQ(verdict_of<uint8_t>(name, 4, 2), Malformed::version) << name;
    EXPECT_EQ(verdict_of<uint8_t>(name, 5, 0), Malformed::type) << name;
    EXPECT_EQ(verdict_of<uint8_t>(name, 5, 7), Malformed::type) << name;
    EXPECT_EQ(verdict_of<uint8_t>(name, 6, 2), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint8_t>(name, 7, 1), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint32_t>(name, 8, 0), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint32_t>(name, 8, kMaxHostId), Malformed::none) << name;
    EXPECT_EQ(verdict_of<uint32_t>(name, 8, kMaxHostId + 1), Malformed::range) << name;
    EXPECT_EQ(verdict_of<uint32_t>(name, 12, 0), Malformed::length) << name;
    EXPECT_EQ(verdict_of<uint32_t>(name, 12, 0xffffffff), Malformed::truncated) << name;
  }
  Packet huge = sample("data");
  huge.resize(kMaxPacketBytes + 1);
  EXPECT_EQ(again(with<uint32_t>(huge, 12, kMaxPacketBytes + 1)).why, Malformed::length);
  Token token;  // asked for a packet of another type
  EXPECT_EQ(decode(sample("data"), token), Malformed::type);
}

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
