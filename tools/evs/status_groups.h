// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_groups.h - who is in which group: of a bus of one host as its processes have written it, of one with an uplink as its gateway tells it, of all hosts. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "metrics/snapshot.h"
#include "tools/evs/json_fwd.h"
#include "tools/evs/text.h"

namespace evs::tools {

inline constexpr uint32_t kSlotBits = 12;  // of a nodeid with an uplink: host id << 12 | the segment's own

struct GroupMember {
  uint32_t nodeid = 0;  // as everybody on the bus knows it
  int32_t pid = 0;
};

struct Groups {
  std::map<std::string, std::vector<GroupMember>> members;  // by the group, as it is shown
  size_t more = 0;                                          // groups that are not told
};

Groups groups_of(const metrics::Snapshot& snapshot);
// How many of them this process of this host is in.
size_t groups_with(const metrics::Snapshot& snapshot, const Groups& groups, const metrics::Member& member);
std::string group_table(const Groups& groups, const Palette& paint);  // empty: there are none
Json groups_json(const Groups& groups);

}  // namespace evs::tools
