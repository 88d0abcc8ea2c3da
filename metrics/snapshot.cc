// SPDX-License-Identifier: BSD-3-Clause
// metrics/snapshot.cc - the few questions that more than one reader asks of a snapshot.
#include "metrics/snapshot.h"

#include <algorithm>
#include <set>

namespace evs::metrics {

std::string_view name_of(MemberState state) {
  switch (state) {
    case MemberState::joining:
      return "joining";
    case MemberState::live:
      return "live";
    case MemberState::expelled:
      return "expelled";
    case MemberState::dead:
      return "dead";
  }
  return "unknown";
}

const Member* Snapshot::member(uint32_t nodeid) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.nodeid == nodeid; });
  return found == members.end() ? nullptr : &*found;
}

uint64_t Snapshot::largest_lag_bytes(const Member& of) const {
  uint64_t largest = 0;
  for (const Handle& handle : of.handles)
    if (handle.watching && !handle.armed) largest = std::max(largest, handle.lag_bytes);
  return largest;
}

size_t Snapshot::processes() const {
  std::set<int32_t> pids;
  for (const Member& member : members) pids.insert(member.pid);
  return pids.size();
}

}  // namespace evs::metrics
