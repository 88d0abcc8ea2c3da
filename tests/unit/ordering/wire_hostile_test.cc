// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_hostile_test.cc - what nobody of good will would send: the shapes of the field's two CVEs, pieces and ranges
// that reach too far, packets within packets. Numbers beside their bounds, and sets out of order: wire_bounds_test.cc.
//
// CVE-2026-35091: a commit token that ended before its list was taken for a whole one. CVE-2026-35092: the sum of two list lengths, kept in
// 32 bits, wrapped, and passed the comparison with the packet's size.
#include <gtest/gtest.h>

#include "bus/ordering/wire_layout.h"
#include "tests/unit/ordering/wire_spoilt.h"

namespace evs::ordering::wire {
namespace {

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

}  // namespace
}  // namespace evs::ordering::wire
