// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/group_watch.h - who else is in the groups of a handle, at the place its callbacks have reached.
//
// A replica per group, fed by what the handle reads in order: its own join opens it (filled with who was there at that
// place), join and leave records of others change it, a configuration that somebody left takes him out, its own leave
// closes it. Each change is one callback. Only handles that asked for group changes pay for it.
//
// Fed by one thread at a time, which the handle's callback lock sees to; who asks for the members may be any other, at any time.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bus/groups/group_key.h"

namespace evs::groups {

// A processor in one of its lives.
struct Processor {
  uint32_t nodeid = 0;
  int32_t pid = 0;
  uint64_t incarnation = 0;

  friend bool operator==(const Processor& a, const Processor& b) {
    return a.nodeid == b.nodeid && a.incarnation == b.incarnation;
  }
};

class GroupWatch {
 public:
  // Our own join was passed; `present` are the members there. Without callbacks.
  void open(const GroupKey& key, std::vector<Processor> present);
  void close(const GroupKey& key);
  void clear();

  // A record or a configuration at the next place; what changed is appended to `changes`. A group that is not open, a member
  // that is there already, or one that is not there: no change.
  void joined(const GroupKey& key, const Processor& who, std::vector<evs_group_change_t>& changes);
  void left(const GroupKey& key, const Processor& who, std::vector<evs_group_change_t>& changes);
  void gone(const Processor& who, int32_t reason, std::vector<evs_group_change_t>& changes);

  // None: it is not open.
  std::optional<std::vector<Processor>> members(const GroupKey& key) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<GroupKey, std::vector<Processor>, GroupHash, GroupEqual> members_;
};

}  // namespace evs::groups
