// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/process_groups.h - joins and leaves on their way into the order, and what they mean for the whole process.
//
// The handles of a process share its nodeid, so others see the *process* join a group with its first handle and leave it
// with its last. The counts and the records that tell of them must change in one order: one lock, held over the append,
// which never blocks. A transport that keeps groups (evs.groups/1) is told before the record and given its position.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "bus/groups/control_record.h"
#include "bus/groups/group_key.h"
#include "evs/plugin.h"

namespace evs::runtime {

class ProcessGroups {
 public:
  void attach(evs_transport* transport, const evs_ordered_ops* ops, const evs_groups_extension* extension);

  // Appends one record for at most kGroupsPerControl groups, each named once. A status of plugin.h; when it is not OK nothing
  // has changed. May throw std::bad_alloc, then too.
  int32_t append(groups::ControlType type, uint64_t handle, uint64_t serial, const groups::GroupKey* keys, uint32_t count);

  // After a rejoin: this process is new, it has joined nothing yet.
  void forget_all();

 private:
  struct Joined {
    uint32_t handles = 0;
    uint64_t token = 0;  // of the extension
  };
  struct Stamp {
    const ProcessGroups* owner;
    groups::ControlType type;
    std::vector<uint64_t> tokens;
  };

  int32_t announce(const groups::GroupKey* keys, uint32_t count, Stamp& stamp);
  void retract(const Stamp& stamp);
  static void before_commit(void* context, uint64_t position);

  evs_transport* transport_ = nullptr;
  const evs_ordered_ops* ops_ = nullptr;
  const evs_groups_extension* extension_ = nullptr;

  std::mutex mutex_;  // guards the counts, and the order of the records that change them
  std::unordered_map<groups::GroupKey, Joined, groups::GroupHash, groups::GroupEqual> joined_;
};

}  // namespace evs::runtime
