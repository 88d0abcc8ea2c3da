// SPDX-License-Identifier: BSD-3-Clause
// metrics/collector.cc - from the words of shared memory to the model.
#include "metrics/collector.h"

#include <time.h>

#include <algorithm>

#include "shm/inspect.h"

namespace evs::metrics {

namespace {

uint64_t unix_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

MemberState state_of(shm::SlotState state) {
  switch (state) {
    case shm::SlotState::joining:
      return MemberState::joining;
    case shm::SlotState::expelled:
      return MemberState::expelled;
    case shm::SlotState::dead:
      return MemberState::dead;
    default:
      return MemberState::live;
  }
}

Handle handle_of(const shm::CursorSnapshot& cursor) {
  return {cursor.index,         cursor.watching,  cursor.armed,  cursor.lag_bytes,
          cursor.joined_groups, cursor.delivered, cursor.wakeups};
}

Member member_of(const shm::MemberSnapshot& from) {
  Member member;
  member.nodeid = from.nodeid;
  member.pid = from.pid;
  member.command = from.command;
  member.state = state_of(from.state);
  member.generation = from.generation;
  member.process_gone = from.process_state == 0;
  // The kernel's word counts; how long is known as far as a member has noticed it.
  if (from.process_state == 'T' || from.process_state == 't') member.stopped_for_ns = from.stopped_ns;
  member.heartbeat_age_ns = from.heartbeat_age_ns;
  member.in_send = from.in_claim;
  member.sent_messages = from.appended_records;
  member.sent_bytes = from.appended_bytes;
  for (const shm::CursorSnapshot& cursor : from.cursors) member.handles.push_back(handle_of(cursor));
  for (const std::string& name : from.groups) {
    GroupKey key{};
    std::copy_n(name.begin(), std::min(name.size(), key.size()), key.begin());
    member.groups.push_back(key);
  }
  return member;
}

}  // namespace

Collected collect(const std::string& directory, const std::string& group, const std::string& bus, Snapshot& out,
                  std::string& failure) {
  shm::Snapshot seen;
  if (const shm::Status status = shm::inspect(directory, group, bus, seen); !status.ok()) {
    failure = status.text;
    return status.code == shm::Code::not_supported ? Collected::no_bus : Collected::failed;
  }
  out = Snapshot{};
  out.bus = seen.bus;
  out.directory = seen.directory;
  out.taken_at_unix_ns = unix_ns();
  out.boot_count = seen.boot_count;
  out.ring_sequence = seen.ring_sequence;
  out.change = seen.change;
  out.ring.capacity_bytes = seen.capacity;
  out.ring.used_bytes = seen.used;
  out.ring.tail = seen.tail;
  if (seen.holder_nodeid != 0) out.ring.holder_nodeid = seen.holder_nodeid;
  out.ring.holder_what = seen.holder_what;
  for (const shm::MemberSnapshot& member : seen.members) out.members.push_back(member_of(member));
  std::sort(out.members.begin(), out.members.end(),
            [](const Member& a, const Member& b) { return a.nodeid < b.nodeid; });
  return Collected::taken;
}

}  // namespace evs::metrics
