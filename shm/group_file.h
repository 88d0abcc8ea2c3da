// SPDX-License-Identifier: BSD-3-Clause
// shm/group_file.h - <bus>.groups.S.G: which groups the member in slot S, generation G, has joined, and at which positions of the ring.
//
// A file a member and life: the owner appends entries and stamps them, anybody of the bus reads. A reader that joins a group at some position
// learns from these files who was in it there; a reader that meets a member's death learns which groups it was in. The file lives until
// the slot is taken again, which is after every live cursor has passed the leave.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "shm/directory.h"
#include "shm/layout.h"

namespace evs::shm {

struct GroupEntry {
  unsigned char key[kGroupBytes];
  std::atomic<uint64_t> join_position;   // 0: not stamped yet, counts as not joined
  std::atomic<uint64_t> leave_position;  // 0: joined still
  uint64_t reserved[2];
};
static_assert(sizeof(GroupEntry) == 64);

std::string group_file_name(const std::string& bus, uint32_t slot, uint32_t generation);

// The owner's side. Any thread.
class OwnGroups {
 public:
  ~OwnGroups();
  Status create(const Directory& directory, const std::string& bus, uint32_t slot, uint32_t generation);
  void close_and_remove(const Directory& directory);
  // Adds an unstamped entry (or reuses one that was left long ago); token names it.
  Status announce(const void* key, uint64_t oldest_needed, uint64_t& token);
  void stamp_join(uint64_t token, uint64_t position);
  void stamp_leave(uint64_t token, uint64_t position);
  void retract(uint64_t token);
  // In a child of fork(): another thread of the parent may have been in the middle of any of this, so the descriptor alone is closed.
  void close_in_child();

 private:
  GroupEntry* entry(uint64_t token);
  void close_all();
  Status grow();

  std::mutex mutex_;
  int fd_ = -1;
  std::string name_;
  std::vector<std::pair<GroupEntry*, uint64_t>> chunks_;  // each mapped once and never moved
  uint64_t used_ = 0;
  std::vector<uint64_t> retracted_;
  std::deque<std::pair<uint64_t, uint64_t>> left_;  // token, position of the leave
};

// Calls visit(key) -> for each entry joined at `position` in that member's file. false: no such file (it joined no group).
bool joined_at(const Directory& directory, const std::string& bus, uint32_t slot, uint32_t generation, const void* key,
               uint64_t position);
// All groups that the member has joined now.
std::vector<std::string> groups_of(const Directory& directory, const std::string& bus, uint32_t slot, uint32_t generation);

}  // namespace evs::shm
