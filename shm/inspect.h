// SPDX-License-Identifier: BSD-3-Clause
// shm/inspect.h - a look at a bus from outside: who is there, how far each has read, who holds the ring.
//
// Read-only mappings, no lock, no membership: it works while processes hang and cannot disturb them. What it shows was true for each
// word at some moment during the call.
#pragma once

#include <string>
#include <vector>

#include "shm/slots.h"
#include "shm/status.h"

namespace evs::shm {

struct CursorSnapshot {
  uint32_t index = 0;
  bool watching = false;
  uint64_t lag_bytes = 0;
  uint32_t joined_groups = 0;
  bool armed = false;      // sleeps until it is rung
  uint64_t wakeups = 0;
  uint64_t delivered = 0;  // records taken
};

struct MemberSnapshot {
  uint32_t nodeid = 0;
  uint32_t slot = 0;
  uint32_t generation = 0;
  int32_t pid = 0;
  std::string command;
  SlotState state = SlotState::free;
  char process_state = 0;         // 'T': stopped; 0: not there
  uint64_t stopped_ns = 0;        // for how long, as far as others noticed; 0: it runs
  uint64_t heartbeat_age_ns = 0;  // since the last turn of its service thread
  uint64_t appended_records = 0;
  uint64_t appended_bytes = 0;
  bool in_claim = false;
  std::vector<CursorSnapshot> cursors;
  std::vector<std::string> groups;  // 32-byte keys
};

// Who was in a slot last, and is gone from the membership.
struct DepartedSnapshot {
  uint32_t nodeid = 0;
  uint32_t generation = 0;
  int32_t pid = 0;
  MemberReason reason = MemberReason::stays;  // stays: not known
};

struct Snapshot {
  std::string directory;
  std::string bus;
  uint64_t ring_sequence = 0;
  uint64_t boot_count = 0;
  uint64_t change = 0;           // of the membership in force, as far as published
  std::vector<uint32_t> member_nodeids;
  uint64_t capacity = 0;
  uint64_t tail = 0;
  uint64_t used = 0;             // from the furthest reader (or claim) to the tail
  uint64_t message_limit = 0;
  uint32_t max_members = 0;
  uint32_t holder_nodeid = 0;    // 0: nobody is behind
  int32_t holder_pid = 0;
  std::string holder_what;       // "cursor"; "sleeper": one that has nothing to read there, and goes on when room is wanted; "claim": stopped in one; "pin"; "role": the gateway's, holder_nodeid 0 when nobody has the role
  int32_t role_pid = 0;          // who has the role (shm/role.h): on a bus with an uplink, the gateway; 0: nobody
  uint64_t alarms = 0;
  std::vector<MemberSnapshot> members;  // slots that are not FREE; DEAD ones only while they are in quarantine
  std::vector<DepartedSnapshot> departed;  // the other DEAD ones: nobody has their slots yet
};

// Code::not_supported when there is no such bus (no segment).
Status inspect(const std::string& directory, const std::string& group, const std::string& bus, Snapshot& out);

// The names of the buses in a directory; an outbox is none.
std::vector<std::string> list_buses(const std::string& directory);

}  // namespace evs::shm
