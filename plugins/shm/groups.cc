// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/groups.cc - evs.groups/1: who had joined a group at a position, from the members' group files.
#include <algorithm>

#include "plugins/shm/transport.h"

namespace evs::plugin_shm {

int32_t Transport::announce(const void* key, uint64_t& token) {
  // What everybody's cursor has passed nobody asks about any more.
  return static_cast<int32_t>(own_groups_.announce(key, shm::lowest_cursor(segment_), token).code);
}

void Transport::group_members(const void* key, uint64_t position, const std::function<void(const evs_ordered_member&)>& visit) {
  // Members in force, and those gone whose slot nobody has taken yet: a cursor that has not passed their going may ask.
  shm::View view;
  if (member()) {
    follow(&view);
  } else {  // the place may be another's: nothing is published there
    const std::lock_guard lock(view_mutex_);
    view = view_;
  }
  for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
    const shm::SlotWord word = slot_word(segment_, i);
    if (word.state == shm::SlotState::free) continue;
    const bool in_force = view.find(i, word.generation) != nullptr;
    if (!in_force && position == UINT64_MAX) continue;
    if (!shm::joined_at(directory_, bus_, i, word.generation, key, position)) continue;
    const shm::Slot& slot = segment_.slot(i);
    visit({i + 1, slot.pid.load(std::memory_order_relaxed), word.generation, EVS_MEMBER_STAYS, 0});
  }
}

}  // namespace evs::plugin_shm
