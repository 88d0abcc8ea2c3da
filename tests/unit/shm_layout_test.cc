// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm_layout_test.cc - the segment byte by byte, as docs/shm-layout.md draws it. What fails here is a new
// layout version.
//
// Two libraries of one version share a segment, whatever each was compiled by: sizes, offsets and the bytes of a record
// are an agreement between programs, so they stand here as numbers and not as the structs' own names for them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "shm/counters.h"
#include "shm/group_file.h"
#include "shm/record.h"
#include "shm/slots.h"
#include "tests/unit/api/story.h"

namespace evs::shm {
namespace {

#define EXPECT_AT(type, field, offset) EXPECT_EQ(offsetof(type, field), size_t{offset}) << #type "::" #field

TEST(Layout, Constants) {
  EXPECT_EQ(memcmp("evring1", &kSegmentMagic, 8), 0);
  EXPECT_EQ(kLayoutVersion, 4u);
  EXPECT_EQ(kUnit, 64u);
  EXPECT_EQ(kHotAt, 512u);
  EXPECT_EQ(kSlotWordsAt, 4096u);
  EXPECT_EQ(kMembersAt, 12288u);
  EXPECT_EQ(kCells, 64u);
  EXPECT_EQ(kPins, 8u);
  EXPECT_EQ(kCursors, 256u);
  EXPECT_EQ(kMaxMembers, 1024u);
  EXPECT_EQ(kMaxGroups, 4096u);
  EXPECT_EQ(kIntentOpen, 1u);
  EXPECT_EQ(kIntentOwner, 2u);
  EXPECT_EQ(kRoleKept, 1u);
  EXPECT_EQ(kRolePlacing, 2u);
  EXPECT_EQ(static_cast<int>(Kind::message), 1);
  EXPECT_EQ(static_cast<int>(Kind::membership), 2);
  EXPECT_EQ(static_cast<int>(Kind::control), 3);
  EXPECT_EQ(static_cast<int>(Kind::pad), 4);
  EXPECT_EQ(static_cast<int>(Kind::gone), 5);
  EXPECT_EQ(static_cast<int>(Kind::skip), 6);
}

TEST(Layout, SegmentHeader) {
  EXPECT_EQ(sizeof(SegmentHeader), 144u);
  EXPECT_AT(SegmentHeader, magic, 0);
  EXPECT_AT(SegmentHeader, layout_version, 8);
  EXPECT_AT(SegmentHeader, header_bytes, 12);
  EXPECT_AT(SegmentHeader, file_bytes, 16);
  EXPECT_AT(SegmentHeader, ring_capacity, 24);
  EXPECT_AT(SegmentHeader, ring_at, 32);
  EXPECT_AT(SegmentHeader, members_at, 40);
  EXPECT_AT(SegmentHeader, slot_bytes, 48);
  EXPECT_AT(SegmentHeader, message_limit, 56);
  EXPECT_AT(SegmentHeader, max_members, 64);
  EXPECT_AT(SegmentHeader, owner_uid, 68);
  EXPECT_AT(SegmentHeader, secret, 72);
  EXPECT_AT(SegmentHeader, ring_sequence, 80);
  EXPECT_AT(SegmentHeader, pid_namespace, 88);
  EXPECT_AT(SegmentHeader, boot_id, 96);
  EXPECT_AT(SegmentHeader, checksum, 136);
}

TEST(Layout, HotWords) {
  EXPECT_AT(HotWords, tail, 0);
  EXPECT_AT(HotWords, armed_slots, 128);
  EXPECT_AT(HotWords, room_slots, 256);
  EXPECT_AT(HotWords, fences_wanted, 384);
  EXPECT_AT(HotWords, covered, 512);
  EXPECT_AT(HotWords, alarms, 520);
  EXPECT_AT(HotWords, role_pin, 640);
  EXPECT_AT(HotWords, role_holder, 648);
}

TEST(Layout, RecordsAndMemberships) {
  EXPECT_EQ(sizeof(RecordHeader), 32u);
  EXPECT_EQ(sizeof(MembershipHeader), 32u);
  EXPECT_EQ(sizeof(MemberEntry), 24u);
  EXPECT_AT(MembershipHeader, change, 0);
  EXPECT_AT(MembershipHeader, previous_position, 8);
  EXPECT_AT(MembershipHeader, previous_change, 16);
  EXPECT_AT(MembershipHeader, member_count, 24);
  EXPECT_AT(MembershipHeader, left_count, 28);
  EXPECT_AT(MemberEntry, slot, 0);
  EXPECT_AT(MemberEntry, generation, 4);
  EXPECT_AT(MemberEntry, pid, 8);
  EXPECT_AT(MemberEntry, reason, 12);
  EXPECT_AT(MemberEntry, start_time, 16);
  EXPECT_EQ(record_bytes(0, 0), 64u);
  EXPECT_EQ(record_bytes(1, 0), 64u);
  EXPECT_EQ(record_bytes(1, 1), 128u);
  EXPECT_EQ(record_bytes(0, 32), 64u);
  EXPECT_EQ(record_bytes(0, 33), 128u);
}

TEST(Layout, Slots) {
  EXPECT_EQ(sizeof(Slot), 54016u);
  EXPECT_AT(Slot, pid, 0);
  EXPECT_AT(Slot, start_time, 8);
  EXPECT_AT(Slot, left_position, 24);
  EXPECT_AT(Slot, service_bell, 32);
  EXPECT_AT(Slot, robust_next, 64);
  EXPECT_AT(Slot, robust_futex, 72);
  EXPECT_AT(Slot, armed_cursors, 128);
  EXPECT_AT(Slot, view_word, 192);
  EXPECT_AT(Slot, cells, 256);
  EXPECT_AT(Slot, pins, 4352);
  EXPECT_AT(Slot, cursors, 4864);
  EXPECT_EQ(sizeof(Cell), 64u);
  EXPECT_AT(Cell, appended_bytes, 8);
  EXPECT_AT(Cell, appended, 16);
  EXPECT_EQ(sizeof(Pin), 64u);
  EXPECT_EQ(sizeof(CursorCell), 192u);
  EXPECT_AT(CursorCell, position, 0);
  EXPECT_AT(CursorCell, delivered_before, 40);
  EXPECT_AT(CursorCell, futex, 64);
  EXPECT_AT(CursorCell, rung_ns, 80);
  EXPECT_AT(CursorCell, filter, 128);
  EXPECT_EQ(sizeof(ViewCopy), 24u);
  const Geometry g = Geometry::of(SegmentShape{});
  EXPECT_EQ(g.view_bytes, 24u + 128u * 24u);
  EXPECT_EQ(g.slot_bytes, 61440u);
  EXPECT_EQ(g.ring_at, 12288u + 128u * 61440u);
  EXPECT_EQ(g.file_bytes, g.ring_at + (4u << 20));
}

TEST(Layout, FilesBesideTheSegment) {
  EXPECT_EQ(sizeof(GroupEntry), 64u);
  EXPECT_AT(GroupEntry, join_position, 32);
  EXPECT_AT(GroupEntry, leave_position, 40);
  EXPECT_EQ(sizeof(CounterBlock), 6720u);
  EXPECT_AT(CounterBlock, heartbeat_ns, 16);
  EXPECT_AT(CounterBlock, value, 64);
  EXPECT_EQ(static_cast<uint32_t>(Counter::appended_records), 0u);
  EXPECT_EQ(static_cast<uint32_t>(Counter::services), 12u);
  EXPECT_EQ(static_cast<uint32_t>(Counter::messages), 15u);
  EXPECT_EQ(static_cast<uint32_t>(Counter::delivered), 19u);
  EXPECT_EQ(static_cast<uint32_t>(Counter::refused_full), 24u);
  EXPECT_EQ(kFirstLevel, 48u);
  EXPECT_EQ(first_word(Histogram::delivery), 64u);
  EXPECT_EQ(first_word(Histogram::wake_up), 64u + 4 * 57u);
  EXPECT_EQ(first_word(Histogram::ordering), 64u + 9 * 57u);
}

TEST(Layout, ASlotsWord) {
  EXPECT_EQ((SlotWord{0x11223344, 0x0155, SlotState::dead, MemberReason::expelled}).pack(), 0x1122334404015504ull);
}

std::string hex(const unsigned char* bytes, size_t n) {
  std::string text;
  char two[4];
  for (size_t i = 0; i < n; ++i) {
    snprintf(two, sizeof two, "%02x", bytes[i]);
    text += two;
    if (i % 16 == 15) text += '\n';
  }
  return text;
}

// What the library writes into the file when a program sends: read back as bytes, the commit word with the segment's
// secret taken off.
TEST(Layout, ARecordOnTheRing) {
  test::Story story;
  ASSERT_EQ(story.result, CS_OK) << story.error;
  const int fd = open((test::directory() + "/story.ring").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const auto word = [fd](uint64_t at) {
    uint64_t value = 0;
    EXPECT_EQ(pread(fd, &value, sizeof value, static_cast<off_t>(at)), 8);
    return value;
  };
  const uint64_t ring_at = word(32), capacity = word(24), secret = word(72), tail = word(512);
  const char text[] = "forty-two bytes, two units, one of which ";
  ASSERT_EQ(sizeof text, 42u);
  evs_group groups[2] = {test::group("alpha"), test::group("b")};
  const iovec parts[2] = {{const_cast<char*>(text), 10}, {const_cast<char*>(text) + 10, 32}};
  ASSERT_EQ(evs_mcast_groups(story.handle, EVS_TYPE_SAFE, groups, 2, parts, 2), CS_OK);
  EXPECT_EQ(word(512), tail + 192) << "32 + 2 * 32 + 42 bytes, in units of 64";

  unsigned char record[144];
  ASSERT_EQ(pread(fd, record, sizeof record, static_cast<off_t>(ring_at + (tail & (capacity - 1)))), 144);
  uint64_t commit = 0;
  memcpy(&commit, record, sizeof commit);
  EXPECT_EQ(commit ^ secret, tail | 1u) << "its position, and that it is a message";
  memset(record, 0, 8);
  memset(record + 24, 0, 8);  // when it was sent, in a record that is sampled
  EXPECT_EQ(hex(record, 138),
            "00000000000000002a00000000000300\n"
            "01000000020000000000000000000000\n"
            "616c7068610000000000000000000000\n"
            "00000000000000000000000000000000\n"
            "62000000000000000000000000000000\n"
            "00000000000000000000000000000000\n"
            "666f7274792d74776f2062797465732c\n"
            "2074776f20756e6974732c206f6e6520\n"
            "6f662077686963682000");
  close(fd);
}

}  // namespace
}  // namespace evs::shm
