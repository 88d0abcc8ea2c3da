// SPDX-License-Identifier: BSD-3-Clause
// metrics/collector.cc - from the words of shared memory to the model.
#include "metrics/collector.h"

#include <time.h>

#include <algorithm>

#include "shm/directory.h"
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

Ring ring_of(const shm::Snapshot& seen) {
  Ring ring{seen.capacity, seen.used, seen.tail, std::nullopt, seen.holder_what};
  if (seen.holder_nodeid != 0) ring.holder_nodeid = seen.holder_nodeid;
  return ring;
}

std::vector<Member> members_of(const shm::Snapshot& seen) {
  std::vector<Member> members;
  for (const shm::MemberSnapshot& member : seen.members) members.push_back(member_of(member));
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.nodeid < b.nodeid; });
  return members;
}

std::string_view name_of(shm::MemberReason reason) {
  switch (reason) {
    case shm::MemberReason::left:
      return "left";
    case shm::MemberReason::died:
      return "died";
    case shm::MemberReason::expelled:
      return "expelled";
    default:
      return {};
  }
}

std::string role_of(const Uplink& uplink) {
  if (uplink.gateway == GatewayState::there) return "gateway";
  return uplink.gateway == GatewayState::silent ? "silent gateway" : "no gateway";
}

// A bus whose processes are in an outbox, too, has an uplink. One that nobody is in was left behind by a bus of that name that had one.
bool collect_uplink(const std::string& directory, const std::string& group, Snapshot& out, std::string& failure) {
  shm::Snapshot outbox;
  if (const shm::Status status = shm::inspect(directory, group, out.bus + shm::kOutboxSuffix, outbox); !status.ok()) {
    failure = status.text;
    return status.code == shm::Code::not_supported;
  }
  if (outbox.members.empty() && !out.members.empty()) return true;
  out.outbox = Outbox{ring_of(outbox), members_of(outbox)};
  if (!read_uplink(directory, group, out.bus, out.uplink, failure)) return false;
  out.role = role_of(out.uplink);
  return true;
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
  out.ring = ring_of(seen);
  out.gateway_pid = seen.role_pid;
  out.members = members_of(seen);
  for (const shm::DepartedSnapshot& one : seen.departed) out.departed.push_back({one.nodeid, one.generation, one.pid, std::string(name_of(one.reason))});
  if (!collect_uplink(directory, group, out, failure)) return Collected::failed;
  return Collected::taken;
}

}  // namespace evs::metrics
