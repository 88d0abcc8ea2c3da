// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/local_records_test.cc - what travels between hosts, byte by byte; what a host's processes tell each other; and what is refused.
#include "bus/runtime/uplink/local_records.h"

#include <gtest/gtest.h>

#include <cstring>

#include "bus/ordering/little_endian.h"

namespace evs::runtime::uplink {
namespace {

using ByteVector = std::vector<std::byte>;

ByteVector wire(uint32_t what, uint32_t group_count, size_t behind) {
  ByteVector bytes(kWireHeaderBytes + behind);
  ordering::store_little(bytes.data(), what);
  ordering::store_little(bytes.data() + 4, group_count);
  return bytes;
}

bool accepts(const ByteVector& bytes) {
  Carried carried;
  return decode_wire(bytes, carried);
}

TEST(WireHeader, IsTheseBytes) {
  std::byte bytes[kWireHeaderBytes];
  encode_wire_header(Carries::control, 0x0102, bytes);
  const unsigned char golden[] = {2, 0, 0, 0, 2, 1, 0, 0};
  EXPECT_EQ(std::memcmp(bytes, golden, sizeof golden), 0);
}

TEST(WireHeader, GroupsAndPayloadStandBehindIt) {
  ByteVector bytes = wire(1, 2, 2 * sizeof(evs_plugin_group) + 3);
  for (size_t i = 0; i < bytes.size() - kWireHeaderBytes; ++i) bytes[kWireHeaderBytes + i] = static_cast<std::byte>(i);
  Carried carried;
  ASSERT_TRUE(decode_wire(bytes, carried));
  EXPECT_EQ(carried.what, Carries::message);
  EXPECT_EQ(carried.group_count, 2u);
  EXPECT_EQ(static_cast<unsigned char>(carried.groups[1].key[0]), sizeof(evs_plugin_group));
  ASSERT_EQ(carried.payload.size(), 3u);
  EXPECT_EQ(carried.payload[0], static_cast<std::byte>(2 * sizeof(evs_plugin_group)));
}

TEST(WireHeader, EveryTruncationIsRefused) {
  const ByteVector whole = wire(1, 3, 3 * sizeof(evs_plugin_group));
  EXPECT_TRUE(accepts(whole)) << "without a payload it is one";
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(accepts({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)})) << size;
}

TEST(WireHeader, CountsAndKindsThatNobodySendsAreRefused) {
  EXPECT_FALSE(accepts(wire(0, 1, 100)));
  EXPECT_FALSE(accepts(wire(3, 1, 100)));
  EXPECT_FALSE(accepts(wire(0x101, 1, 100))) << "all of the word counts";
  EXPECT_FALSE(accepts(wire(1, 0, 100)));
  EXPECT_TRUE(accepts(wire(1, kMostGroups, kMostGroups * sizeof(evs_plugin_group))));
  EXPECT_FALSE(accepts(wire(1, kMostGroups + 1, (kMostGroups + 1) * sizeof(evs_plugin_group)))) << "more than the order ring takes";
  EXPECT_FALSE(accepts(wire(1, UINT32_MAX, 100)));
  EXPECT_FALSE(accepts(wire(1, UINT32_MAX / sizeof(evs_plugin_group) + 2, 100))) << "where 32 bits would overflow";
}

// Its bytes come out of a packet, wherever they stand in it.
TEST(WireHeader, IsReadAtAnyAlignment) {
  static_assert(alignof(evs_plugin_group) == 1);
  const ByteVector whole = wire(2, 1, sizeof(evs_plugin_group) + 8);
  for (size_t shift = 0; shift < 8; ++shift) {
    ByteVector shifted(shift);
    shifted.insert(shifted.end(), whole.begin(), whole.end());
    Carried carried;
    ASSERT_TRUE(decode_wire(Bytes(shifted).subspan(shift), carried));
    EXPECT_EQ(carried.payload.size(), 8u);
  }
}

ProcessesInForce some_processes() {
  ProcessesInForce processes;
  processes.number = uint64_t{0x11223344} << 32 | 6;
  processes.epoch = 41;
  processes.members = {{0x1001, 77, uint64_t{5} << 32 | 1, EVS_MEMBER_STAYS, 0}, {0x2001, -1, 9, EVS_MEMBER_JOINED, 0}};
  processes.left = {{0x3001, 5, 8, EVS_MEMBER_DIED, 0}};
  return processes;
}

bool same(const ProcessesInForce& a, const ProcessesInForce& b) {
  const auto list = [](const std::vector<evs_ordered_member>& x, const std::vector<evs_ordered_member>& y) {
    return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof x[0]) == 0);
  };
  return a.number == b.number && a.epoch == b.epoch && list(a.members, b.members) && list(a.left, b.left);
}

ChangeTold some_change() {
  ChangeTold change;
  change.configurations = {some_processes(), some_processes()};
  change.configurations[0].number -= 1;
  GroupChange joined;
  joined.group.key[0] = 'g';
  joined.who = {0x2001, 12, 34};
  joined.joined = true;
  change.groups = {joined, joined};
  change.groups[1].joined = false;
  return change;
}

TEST(Change, ComesOutAsItWentIn) {
  ByteVector bytes;
  encode(some_change(), bytes);
  ChangeTold change;
  ASSERT_TRUE(decode(bytes, change));
  ASSERT_EQ(change.configurations.size(), 2u);
  EXPECT_TRUE(change.configurations[0].is_transitional());
  EXPECT_TRUE(same(change.configurations[1], some_processes()));
  EXPECT_EQ(change.configurations[1].ring_sequence(), 0x11223344u);
  EXPECT_EQ(change.configurations[1].change(), 6u);
  ASSERT_EQ(change.groups.size(), 2u);
  EXPECT_TRUE(change.groups[0].joined);
  EXPECT_FALSE(change.groups[1].joined);
  EXPECT_EQ(change.groups[1].who, (Resident{0x2001, 12, 34}));
}

TEST(Change, TruncatedOrWithMoreThanItSaysItIsRefused) {
  ByteVector bytes;
  encode(some_change(), bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    ChangeTold change;
    EXPECT_FALSE(decode(Bytes(bytes).first(size), change)) << size;
  }
  bytes.push_back({});
  ChangeTold change;
  EXPECT_FALSE(decode(bytes, change));
}

// Nothing is reserved by a count that the bytes cannot hold.
TEST(Change, CountsThatAreTooLargeAreRefused) {
  const auto refused = [](size_t at, uint32_t value) {
    ByteVector bytes;
    encode(some_change(), bytes);
    ordering::store_little(bytes.data() + at, value);
    ChangeTold change;
    return !decode(bytes, change);
  };
  EXPECT_TRUE(refused(0, 3)) << "configurations";
  EXPECT_TRUE(refused(0, UINT32_MAX));
  EXPECT_TRUE(refused(4, 3)) << "groups";
  EXPECT_TRUE(refused(4, UINT32_MAX));
  EXPECT_TRUE(refused(24, UINT32_MAX)) << "members";
  EXPECT_TRUE(refused(28, UINT32_MAX)) << "who left";
}

TEST(GroupStates, ComeOutAsTheyWentInAndCountsAreBounded) {
  GroupState state;
  state.groups = {{{1, 2, 3}, {4, 5, 6}}, {}};
  ByteVector bytes;
  encode(state, bytes);
  GroupState out;
  ASSERT_TRUE(decode(bytes, out));
  EXPECT_EQ(out.groups, state.groups);
  ordering::store_little(bytes.data(), UINT64_MAX / 16 + 2);
  GroupState refused;
  EXPECT_FALSE(decode(bytes, refused)) << "where 64 bits would overflow";
  EXPECT_FALSE(decode(Bytes(bytes).first(7), refused));
}

TEST(Kept, TheConfigurationToldLastStandsBeforeWhatTheOrderingLayerSaved) {
  const ByteVector saved(5, std::byte{7});
  ByteVector bytes;
  encode_kept(some_processes(), saved, bytes);
  ProcessesInForce told;
  Bytes rest;
  ASSERT_TRUE(decode_kept(bytes, told, rest));
  EXPECT_TRUE(same(told, some_processes()));
  EXPECT_EQ(ByteVector(rest.begin(), rest.end()), saved);
  for (size_t size = 0; size < bytes.size() - saved.size(); ++size) {
    ProcessesInForce half;
    EXPECT_FALSE(decode_kept(Bytes(bytes).first(size), half, rest)) << size;
  }
}

TEST(Membership, SaysWhatRoomItNeeds) {
  alignas(8) std::byte buffer[512];
  size_t needed = 0;
  EXPECT_FALSE(write_membership(some_processes(), 9, buffer, 0, &needed));
  EXPECT_EQ(needed, sizeof(evs_membership) + 3 * sizeof(evs_ordered_member));
  EXPECT_FALSE(write_membership(some_processes(), 9, buffer, needed - 1, &needed));
  ASSERT_TRUE(write_membership(some_processes(), 9, buffer, needed, &needed));
  const auto& written = *reinterpret_cast<const evs_membership*>(buffer);
  EXPECT_EQ(written.member_count, 2u);
  EXPECT_EQ(written.position, 9u);
  EXPECT_EQ(written.epoch, 41u);
  EXPECT_EQ(written.members[1].nodeid, 0x2001u);
}

TEST(Place, RisesWithinARingAndDiffersFromTheNextOnes) {
  const ordering::RingId ring{8 * ordering::kSequenceStep, 1}, next{8 * ordering::kSequenceStep + 1, 1};
  EXPECT_LT(place_of(ring, {1}, 0), place_of(ring, {1}, 1));
  EXPECT_LT(place_of(ring, {1}, 1023), place_of(ring, {2}, 0));
  EXPECT_LT(place_of(ring, {UINT32_MAX}, 5), place_of(ring, {uint64_t{UINT32_MAX} + 1}, 0));
  EXPECT_LT(place_of(ring, {UINT32_MAX}, 0), place_of(next, {1}, 0)) << "that of a successor, in which the configuration of processes goes on";
}

}  // namespace
}  // namespace evs::runtime::uplink
