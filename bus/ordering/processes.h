// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/processes.h - processes over hosts: who they are, their configurations, and what hosts' messages say about them.
//
// The bytes of every message that hosts exchange begin with its kind (docs/wire-format.md, "What messages carry"):
//
//   message   an application's: from this process of the sending host
//   change    a process of the sending host joins, leaves, died, joins or leaves groups
//   opening   all processes of the sending host, with their groups, and its voting record: what it says first in every ring
//   vote      the sending host has stored that this ring tries to become the primary one
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bus/ordering/packets.h"
#include "bus/ordering/primary.h"

namespace evs::ordering {

using NodeId = uint32_t;  // host id << 12 | slot
inline constexpr uint32_t kSlotBits = 12;
inline constexpr HostId host_of(NodeId node) { return node >> kSlotBits; }

struct Process {
  NodeId node = 0;
  uint32_t pid = 0;
  uint64_t incarnation = 0;  // tells it from who had the nodeid before
  friend auto operator<=>(const Process&, const Process&) = default;
};
using Processes = std::vector<Process>;  // sorted by nodeid, which nobody shares

using Group = std::array<std::byte, 32>;

// What a host can put into everybody's table is bounded. These are the protocol's and no host's settings: all who read a record must judge it alike. A host
// has at most 4095 processes, because a nodeid has no more slots.
inline constexpr uint32_t kMaxGroupsOfProcess = 1024;
inline constexpr size_t kMaxOpeningBytes = size_t{1} << 20;  // of all its processes with their groups, as an opening lists them
inline constexpr uint32_t kMaxGroupsOfChange = 64;
inline constexpr size_t kMaxCarriedBytes = 4096;             // of what a change of groups carries

// The name of a configuration of processes: what evs_ring_id is made from. No two configurations that differ have one name
// as long as no host loses the ring sequence that it stored. Neither half runs into the other: no ring has a sequence beyond kMaxSequence, and a ring is
// formed anew before its changes are used up (Settings::changes_per_ring).
struct ConfigurationId {
  uint64_t number = 0;        // ring sequence << 32 | change: regular ones are even, the transitional one before it is one less
  NodeId representative = 0;  // the lowest member
  friend auto operator<=>(const ConfigurationId&, const ConfigurationId&) = default;
};

inline constexpr uint64_t kLastChange = UINT32_MAX - 1;
constexpr bool has_next_change(uint64_t change) { return change + 2 <= kLastChange; }

struct ProcessConfiguration {
  ConfigurationId id;
  Processes members;
  uint64_t epoch = 0;  // of a regular one of a primary ring (primary.h), to fence with: it never falls. Else 0
  bool is_primary() const { return epoch != 0; }
  friend bool operator==(const ProcessConfiguration&, const ProcessConfiguration&) = default;
};

struct Member {
  Process process;
  bool in_configuration = false;  // of the one that its host has in force; else it joined since
  std::vector<Group> groups;      // sorted
};

enum class RecordKind : uint8_t { message = 1, change = 2, opening = 3, vote = 4 };
enum class Change : uint8_t { join = 1, leave = 2, died = 3, join_group = 4, leave_group = 5 };

struct ChangeRecord {
  Change what = Change::join;
  Process process;
  std::vector<Group> groups;  // with join_group, leave_group: one at least, sorted
  Bytes carried;              // with these: for the process's own host, told at this very place; decoded: points into the message
};

struct Opening {
  ConfigurationId configuration;       // in force at the sending host; none: zero
  uint32_t configuration_members = 0;  // how many that one has
  std::vector<Member> processes;       // of the sending host, sorted
  Voter voter{};
};

struct Vote {
  RingId ring;
  uint64_t epoch = 0;
};

namespace records {

inline constexpr size_t kMessageHeaderBytes = 8;
inline constexpr size_t kOpeningBytes = 32, kMemberBytes = 24, kGroupBytes = sizeof(Group);
size_t opening_bytes(size_t processes, size_t groups);  // without a voting record
size_t opening_bytes(const Opening& opening);

// Appended to `out`.
void encode_message(NodeId sender, Bytes payload, std::vector<std::byte>& out);
void encode(const ChangeRecord& record, std::vector<std::byte>& out);
void encode(const Opening& opening, std::vector<std::byte>& out);
void encode(const Vote& vote, std::vector<std::byte>& out);

// By the first byte alone.
bool kind_of(Bytes message, RecordKind& kind);
// Of a message that host `from` sent. False: it breaks a rule of docs/wire-format.md, and nothing of it is left behind. What is taken and encoded
// again has the same bytes.
bool decode_message(Bytes message, HostId from, NodeId& sender, Bytes& payload);
bool decode(Bytes message, HostId from, ChangeRecord& record);
bool decode(Bytes message, HostId from, Opening& opening);
bool decode(Bytes message, Vote& vote);

}  // namespace records
}  // namespace evs::ordering
