// SPDX-License-Identifier: BSD-3-Clause
// metrics/snapshot.h - a bus at one moment, as an observer sees it.
//
// The model between what lies in shared memory and whoever shows it: `evs status` prints it, an exporter counts it. It
// is plain values, so that a rendering is a pure function of it and can be tested against a text. It knows nothing of
// layouts (collector.h fills it in) and promises no consistency across members: the processes it describes go on while
// it is taken, and each of its words was true at some moment of the taking.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/uplink.h"

namespace evs::metrics {

inline constexpr size_t kGroupKeyBytes = 32;
using GroupKey = std::array<char, kGroupKeyBytes>;

enum class MemberState : uint8_t {
  joining,   // has a slot, its join is not yet in the order
  live,      // a member
  expelled,  // put out for holding the ring too long; rejoins at its next call
  dead,      // proven dead, its leave is not yet behind everybody
};

std::string_view name_of(MemberState state);

// Eight turns of a service thread: one that has not run for so long hangs.
inline constexpr uint64_t kHungNs = 2'000'000'000;

struct Handle {
  uint32_t index = 0;
  bool watching = false;   // keeps room in the ring; a handle without groups does not
  bool armed = false;      // asleep: asks to be rung
  uint64_t lag_bytes = 0;  // from its cursor to the end of the order
  uint32_t joined_groups = 0;
  uint64_t delivered = 0;
  uint64_t wakeups = 0;
};

struct Member {
  uint32_t nodeid = 0;
  int32_t pid = 0;
  std::string command;  // as the kernel names it; empty when the process is gone
  MemberState state = MemberState::live;
  uint64_t generation = 0;                 // of its slot: tells one life in the slot from the next
  bool process_gone = false;               // there is no such process; nobody has proven it to the bus yet
  std::optional<uint64_t> stopped_for_ns;  // SIGSTOP or a debugger; counted from when another member noticed
  uint64_t heartbeat_age_ns = 0;           // since the last turn of its service thread
  bool in_send = false;                    // between claim and commit
  uint64_t sent_messages = 0;              // records it appended: messages, joins and leaves, memberships
  uint64_t sent_bytes = 0;                 // their payloads
  std::vector<Handle> handles;
  std::vector<GroupKey> groups;

  bool hangs() const { return heartbeat_age_ns >= kHungNs; }
};

// A member of before, as long as nobody has its slot.
struct Departed {
  uint32_t nodeid = 0;
  uint64_t generation = 0;
  int32_t pid = 0;
  std::string how;  // "left", "died" or "expelled"; empty: not known
};

struct Ring {
  uint64_t capacity_bytes = 0;
  uint64_t used_bytes = 0;                // from the furthest reader to the end
  uint64_t tail = 0;                      // position of the end of the order
  std::optional<uint32_t> holder_nodeid;  // who is furthest behind
  std::string holder_what;                // with what it holds: "cursor", "sleeper", "claim", "pin" or "role" (shm/inspect.h)
};

// Of a bus that spans hosts: the ring beside its own through which what is said here reaches the gateway. It is no bus of its own.
struct Outbox {
  Ring ring;
  std::vector<Member> members;  // by nodeid: who fills it
};

struct Snapshot {
  std::string bus;
  std::string directory;
  uint64_t taken_at_unix_ns = 0;
  uint64_t boot_count = 0;     // lives of the segment, the present one included
  uint64_t ring_sequence = 0;  // of this life; configuration id = ring_sequence << 32 | change
  uint64_t change = 0;         // number of the membership in force
  int32_t gateway_pid = 0;     // whose role it is by the ring itself; 0: nobody's
  std::string role = "none";   // of this host in the uplink: a bus without one has none
  Ring ring;
  std::optional<Outbox> outbox;  // with an uplink
  Uplink uplink;
  std::vector<Member> members;  // by nodeid
  std::vector<Departed> departed;

  const Member* member(uint32_t nodeid) const;
  uint64_t largest_lag_bytes(const Member& of) const;  // of those that have something to read: who sleeps has nothing, however much of others has passed it
  size_t processes() const;  // with an uplink each is a member more than once
};

}  // namespace evs::metrics
