// SPDX-License-Identifier: BSD-3-Clause
// shm/slots.cc - changes of a slot's state.
#include "shm/slots.h"

#include <algorithm>

namespace evs::shm {

bool change_slot(const Segment& segment, uint32_t slot, SlotWord from, SlotWord to) {
  uint64_t expected = from.pack();
  return segment.slot_word(slot).compare_exchange_strong(expected, to.pack(), std::memory_order_seq_cst);
}

void wipe_slot(const Segment& segment, uint32_t slot) {
  Slot& s = segment.slot(slot);
  for (Cell& cell : s.cells) {
    cell.intent.store(0, std::memory_order_relaxed);
    for (auto& count : cell.appended) count.store(0, std::memory_order_relaxed);
    cell.appended_bytes.store(0, std::memory_order_relaxed);
  }
  for (Pin& pin : s.pins) pin.position.store(0, std::memory_order_relaxed);
  const uint32_t used = std::min(s.cursors_used.load(std::memory_order_relaxed), kCursors);
  for (uint32_t i = 0; i < used; ++i) {
    CursorCell& c = s.cursors[i];
    c.position.store(0, std::memory_order_relaxed);
    c.in_use.store(0, std::memory_order_relaxed);
    c.joined_groups.store(0, std::memory_order_relaxed);
    for (auto* count : {&c.wakeups, &c.wakeups_before, &c.delivered, &c.delivered_before}) count->store(0, std::memory_order_relaxed);
    c.armed.store(0, std::memory_order_relaxed);
    c.bell.store(0, std::memory_order_relaxed);
    for (auto& word : c.filter) word.store(0, std::memory_order_relaxed);
  }
  for (auto& word : s.armed_cursors) word.store(0, std::memory_order_relaxed);
  segment.hot().armed_slots[slot / 64].fetch_and(~(1ull << (slot % 64)), std::memory_order_relaxed);
  s.cells_used.store(0, std::memory_order_relaxed);
  s.cursors_used.store(0, std::memory_order_relaxed);
  s.pins_used.store(0, std::memory_order_relaxed);
  s.left_position.store(0, std::memory_order_relaxed);
  s.service_bell.store(0, std::memory_order_relaxed);
  s.robust_futex.store(0, std::memory_order_relaxed);
  s.stopped_since_ns.store(0, std::memory_order_relaxed);
  s.stopped_logged.store(0, std::memory_order_relaxed);
  // view_word stays: what the last life published is still true, and somebody may rely on it alone (view.h).
}

uint64_t lowest_cursor(const Segment& segment) {
  uint64_t lowest = segment.hot().tail.load(std::memory_order_seq_cst);
  for (uint32_t i = 0; i < segment.geometry().max_members; ++i) {
    if (!cursors_count(slot_word(segment, i).state)) continue;
    const Slot& s = segment.slot(i);
    const uint32_t used = std::min(s.cursors_used.load(std::memory_order_acquire), kCursors);
    for (uint32_t c = 0; c < used; ++c) {
      const uint64_t position = s.cursors[c].position.load(std::memory_order_acquire);
      if (position != 0) lowest = std::min(lowest, position & kPositionMask);
    }
  }
  return lowest;
}

}  // namespace evs::shm
