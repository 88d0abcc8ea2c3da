// SPDX-License-Identifier: BSD-3-Clause
// shm/layout.h - the segment, byte by byte: docs/shm-layout.md draws it, tests/unit/shm_layout_test.cc holds it.
//
//     0            SegmentHeader, HotWords     geometry; the words that every send touches
//     4096         slot words                  the state of each slot, 8 bytes a slot
//     members_at   Slot[max_members]           who is here: state, cells (claims), pins, cursors, the membership it knows
//     ring_at      ring_capacity bytes         the order ring: records in 64-byte units
//
// Everything that several processes write is an atomic on a line of its own. What stands here is input like a packet: whoever reads
// it bounds it first, and keeps its own copy of the geometry that it checked at attach.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace evs::shm {

inline constexpr uint64_t kSegmentMagic = 0x0031676e69727665ull;  // "evring1\0"
inline constexpr uint32_t kLayoutVersion = 4;

inline constexpr uint32_t kLine = 64;            // a cache line, and the unit of the ring
inline constexpr uint32_t kUnit = 64;
inline constexpr uint32_t kPage = 4096;
inline constexpr uint32_t kMaxMembers = 1024;    // slots a segment may have; a nodeid has 12 bits for its slot
inline constexpr uint32_t kCells = 64;           // claims that one process can have open at once
inline constexpr uint32_t kOwnedCells = 48;      // of these, each a thread's own; whoever comes later shares the rest
inline constexpr uint32_t kPins = 8;             // see Pin
inline constexpr uint32_t kCursors = 256;        // handles of one process
inline constexpr uint32_t kFilterWords = 8;      // 512 bits of interest a cursor
inline constexpr uint32_t kMaxGroups = 4096;     // groups of one message
inline constexpr uint64_t kMinCapacity = 512 * 1024;  // two messages to kMaxGroups, and the reserve
inline constexpr uint64_t kMaxCapacity = 1ull << 30;

static_assert(std::atomic<uint64_t>::is_always_lock_free, "processes share these words");

// --- The ring's records ---------------------------------------------------------------------------------------------

// A commit word is (position | kind) ^ secret. Positions are multiples of 64, so that kind has the low six bits. Zero, and
// whatever an earlier lap or a payload left there, is no commit word of this position (docs/shm-layout.md A1).
enum class Kind : uint32_t {
  message = 1,
  membership = 2,
  control = 3,
  pad = 4,    // one unit of a dead claim
  gone = 5,   // a record that its owner gave up; carries its length
  skip = 6,   // nothing more in this lap
};

struct RecordHeader {
  std::atomic<uint64_t> commit;
  uint32_t size;         // payload bytes
  uint16_t slot;         // the sender's
  uint8_t guarantee;     // 0 to 3
  uint8_t reserved0;
  uint32_t generation;   // of the slot
  uint16_t group_count;
  uint16_t reserved1;
  uint64_t sent_ns;      // CLOCK_MONOTONIC of the send in a sampled record, else 0
};
static_assert(sizeof(RecordHeader) == 32);
inline constexpr uint32_t kGroupBytes = 32;

// The payload of a membership record.
struct MembershipHeader {
  uint64_t change;             // rises by 2
  uint64_t previous_position;  // of the membership record that this one is based on
  uint64_t previous_change;    // 0 and 0: the first of this segment
  uint32_t member_count;
  uint32_t left_count;
};
struct MemberEntry {
  uint32_t slot;
  uint32_t generation;
  int32_t pid;
  uint32_t reason;      // MemberReason
  uint64_t start_time;  // of the process, in clock ticks since boot: tells a reused pid
};
enum class MemberReason : uint32_t { stays = 0, joined = 1, left = 2, died = 3, expelled = 4 };
static_assert(sizeof(MembershipHeader) == 32 && sizeof(MemberEntry) == 24);

// --- Members --------------------------------------------------------------------------------------------------------

enum class SlotState : uint32_t { free = 0, joining = 1, live = 2, expelled = 3, dead = 4 };

// One open claim. `intent` is 0, or the position claimed or about to be, with a flag in its low bits. The counters are written by
// whoever holds the cell, so that a send counts itself without a shared word: messages by guarantee, and all other records as one more.
inline constexpr uint32_t kGuarantees = 4;
struct alignas(kLine) Cell {
  std::atomic<uint64_t> intent;
  std::atomic<uint64_t> appended_bytes;
  std::atomic<uint64_t> appended[kGuarantees + 1];

  uint64_t appended_records() const {
    uint64_t sum = 0;
    for (const auto& count : appended) sum += count.load(std::memory_order_relaxed);
    return sum;
  }
};
static_assert(sizeof(Cell) == kLine, "a send touches one line of its own");
inline constexpr uint64_t kIntentOpen = 1;   // wants the position, or lost it to another
inline constexpr uint64_t kIntentOwner = 2;  // won it
inline constexpr uint64_t kPositionMask = ~uint64_t{kUnit - 1};

// Keeps the ring from being reused behind a position: 0, or position | 1.
struct alignas(kLine) Pin {
  std::atomic<uint64_t> position;
};
inline constexpr uint32_t kPinAttach = 0;  // while joining
inline constexpr uint32_t kPinFill = 1;    // one filler a process at a time
inline constexpr uint32_t kPinWatch = 2;   // while a cursor is placed

// A handle's reading position: 0 when parked, else position | 1; and its bell.
struct CursorCell {
  alignas(kLine) std::atomic<uint64_t> position;
  std::atomic<uint32_t> in_use;
  std::atomic<uint32_t> joined_groups;   // for status
  std::atomic<uint64_t> wakeups;         // times a bell of it was rung
  std::atomic<uint64_t> delivered;       // for status: frames taken
  std::atomic<uint64_t> wakeups_before;  // by handles of this process that had the cell earlier
  std::atomic<uint64_t> delivered_before;
  alignas(kLine) std::atomic<uint32_t> futex;  // raised by one at each wake-up
  std::atomic<uint32_t> armed;           // Armed bits
  std::atomic<uint64_t> bell;            // names the FIFO; 0: none
  std::atomic<uint64_t> rung_ns;         // CLOCK_MONOTONIC of the last bell, where its ringer takes samples; else 0
  alignas(kLine) std::atomic<uint64_t> filter[kFilterWords];
};
static_assert(sizeof(CursorCell) == 3 * kLine);
inline constexpr uint32_t kArmedFutex = 1;
inline constexpr uint32_t kArmedBell = 2;
inline constexpr uint32_t kArmedAny = 4;  // beside one of the others: for whatever is committed, because a claim stands before us

// The membership that a process has read last: two copies, one writer (the owner), switched by one word.
struct ViewCopy {
  uint64_t change;
  uint64_t position;
  uint32_t member_count;
  uint32_t reserved;
  // MemberEntry[max_members] follows
};
static_assert(sizeof(ViewCopy) == 24);

// A slot's word stands in the table at kSlotWordsAt: generation << 32 | reason << 24 | author << 8 | state. The author is the slot that owes the
// record of this one's leaving. The words are apart from the slots so that a slot that was never used is never touched: its pages do
// not exist, and on a full /dev/shm they could not come into being.
struct Slot {
  alignas(kLine) std::atomic<int32_t> pid;
  std::atomic<uint32_t> cells_used;    // cells below this index were used in this life
  std::atomic<uint64_t> start_time;
  std::atomic<uint32_t> cursors_used;  // cursor cells below this index were used in this life
  std::atomic<uint32_t> pins_used;
  std::atomic<uint64_t> left_position; // the leave of the last life is before this position; 0: not known
  std::atomic<uint64_t> service_bell;  // names the FIFO of the service thread; 0: none
  std::atomic<uint64_t> command[2];    // the process's short name, for people
  // The service thread's robust futex: its thread id while it lives, FUTEX_OWNER_DIED when the kernel said so. `robust_next` is the
  // node of the kernel's list and means something in the owner's address space only.
  alignas(kLine) std::atomic<uint64_t> robust_next;
  std::atomic<uint32_t> robust_futex;
  std::atomic<uint32_t> stopped_logged;
  std::atomic<uint64_t> heartbeat_ns;  // CLOCK_MONOTONIC of the service thread's last turn
  std::atomic<uint64_t> stopped_since_ns;  // what another process found: since when it is stopped; 0: it runs
  alignas(kLine) std::atomic<uint64_t> armed_cursors[kCursors / 64];
  // change << 1 | which copy is valid; 0: none was published
  alignas(kLine) std::atomic<uint64_t> view_word;
  Cell cells[kCells];
  Pin pins[kPins];
  CursorCell cursors[kCursors];
  // two ViewCopy with max_members entries each follow (Geometry::view_at)
};
static_assert(sizeof(Slot) == 4 * kLine + kCells * kLine + kPins * kLine + kCursors * 3 * kLine);

// --- The front of the segment ---------------------------------------------------------------------------------------

struct SegmentHeader {
  std::atomic<uint64_t> magic;  // stored last when a segment is built
  uint32_t layout_version;
  uint32_t header_bytes;
  uint64_t file_bytes;
  uint64_t ring_capacity;
  uint64_t ring_at;
  uint64_t members_at;
  uint64_t slot_bytes;
  uint64_t message_limit;
  uint32_t max_members;
  uint32_t owner_uid;
  uint64_t secret;
  uint64_t ring_sequence;   // the lock file's boot count when this segment was built
  uint64_t pid_namespace;   // inode of /proc/self/ns/pid: pids mean nothing in another
  char boot_id[40];         // of the kernel: a segment does not outlive it
  uint64_t checksum;        // over all fields but magic
};
static_assert(sizeof(SegmentHeader) == 144);

struct HotWords {
  alignas(128) std::atomic<uint64_t> tail;        // the next claim begins here
  alignas(128) std::atomic<uint64_t> armed_slots[kMaxMembers / 64];   // slots with a sleeper: read by each send
  alignas(128) std::atomic<uint64_t> room_slots[kMaxMembers / 64];    // slots that wait for room: read by each reader
  // Set once, by a member that may not call membarrier(): senders then put a fence between a commit and their look at the sleepers.
  alignas(128) std::atomic<uint64_t> fences_wanted;
  alignas(128) std::atomic<uint64_t> covered;     // memberships before this position are in a published view
  std::atomic<uint64_t> alarms;                   // raised at each proof of death, and for each member found stopped: who sleeps looks again
  // Nobody's slot: 0, or position | flag. It holds the ring for the gateway role, whoever has the role and while nobody has it (role.h).
  alignas(128) std::atomic<uint64_t> role_pin;
  std::atomic<uint64_t> role_holder;              // generation << 32 | slot + 1 of who opened the role last; 0: it was closed. For people
};
inline constexpr uint64_t kRoleKept = 1;     // what is at the position and behind it is there
inline constexpr uint64_t kRolePlacing = 2;  // being set for the first time: holds the ring, promises nothing
inline constexpr uint64_t kHotAt = 512;
static_assert(kHotAt + sizeof(HotWords) <= kPage);
inline constexpr uint64_t kSlotWordsAt = kPage;
inline constexpr uint64_t kMembersAt = kSlotWordsAt + kMaxMembers * sizeof(uint64_t);
static_assert(kMembersAt % kPage == 0);

}  // namespace evs::shm
