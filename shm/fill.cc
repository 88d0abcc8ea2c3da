// SPDX-License-Identifier: BSD-3-Clause
// shm/fill.cc - pads, when it is certain that nobody alive owns the unit.
#include "shm/fill.h"

#include <algorithm>

#include "shm/crash_point.h"
#include "shm/slots.h"

namespace evs::shm {

bool set_pin(const Segment& segment, uint32_t own_slot, uint32_t which, uint64_t position) {
  Slot& slot = segment.slot(own_slot);
  uint32_t used = slot.pins_used.load(std::memory_order_relaxed);
  while (used <= which && !slot.pins_used.compare_exchange_weak(used, which + 1, std::memory_order_seq_cst)) {}
  slot.pins[which].position.store(position | 1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // PIN
  // While a position is unresolved nobody's cursor and no walk is past it, so covered is not, and every bound that was ever computed
  // is at most position + capacity. Once it is resolved, whoever computes a new bound sees this pin. So what is found uncommitted
  // after the pin was set stays where it is until the pin is cleared.
  return segment.hot().covered.load(std::memory_order_seq_cst) <= position &&
         segment.hot().tail.load(std::memory_order_seq_cst) <= position + segment.geometry().capacity;
}

void clear_pin(const Segment& segment, uint32_t own_slot, uint32_t which) {
  segment.slot(own_slot).pins[which].position.store(0, std::memory_order_release);
}

Fill fill(const Segment& segment, uint64_t position, uint32_t* owner) {
  const Geometry& g = segment.geometry();
  std::atomic<uint64_t>& tail = segment.hot().tail;
  if (position >= tail.load(std::memory_order_seq_cst)) return Fill::unclaimed;

  bool dead_owner = false, named = false;
  for (uint32_t i = 0; i < g.max_members; ++i) {
    const SlotState state = slot_word(segment, i).state;
    if (state == SlotState::free) continue;
    const Slot& slot = segment.slot(i);
    const uint32_t cells = std::min(slot.cells_used.load(std::memory_order_acquire), kCells);
    for (uint32_t c = 0; c < cells; ++c) {
      const uint64_t intent = slot.cells[c].intent.load(std::memory_order_acquire);
      if (intent == 0 || (intent & kPositionMask) != position) continue;
      if (state == SlotState::dead) {
        dead_owner |= (intent & kIntentOwner) != 0;
      } else {
        named = true;
        if (owner != nullptr) *owner = i;
      }
    }
  }
  // After the cells: an empty cell that was full tells of a commit (CLEAR).
  std::atomic<uint64_t>& word = segment.word(position);
  uint64_t seen = word.load(std::memory_order_acquire);
  if (segment.kind_at(position, seen) != 0) return Fill::committed;
  if (tail.load(std::memory_order_seq_cst) > position + g.capacity) return Fill::lapped;
  if (!dead_owner && named) return Fill::alive;
  EVS_CRASH_POINT("fill.decided");
  if (!word.compare_exchange_strong(seen, segment.encode(position, Kind::pad), std::memory_order_seq_cst))
    return Fill::committed;  // another filler, with the same pad
  EVS_CRASH_POINT("fill.padded");
  return Fill::padded;
}

uint64_t fill_claims_of(const Segment& segment, uint32_t dead_slot, uint32_t own_slot) {
  uint64_t padded = 0;
  const Slot& slot = segment.slot(dead_slot);
  const uint32_t cells = std::min(slot.cells_used.load(std::memory_order_acquire), kCells);
  for (uint32_t c = 0; c < cells; ++c) {
    const uint64_t intent = slot.cells[c].intent.load(std::memory_order_acquire);
    if (intent == 0) continue;
    // The claim of a DEAD slot counts no more, so the pin alone holds the ring here. When it does not hold, the unit was lapped:
    // everybody who needed it has passed it.
    for (uint64_t position = intent & kPositionMask;; position += kUnit) {
      if (!set_pin(segment, own_slot, kPinFill, position)) break;
      EVS_CRASH_POINT("fill.pinned");
      if (fill(segment, position) != Fill::padded) break;
      ++padded;
    }
  }
  clear_pin(segment, own_slot, kPinFill);
  return padded;
}

}  // namespace evs::shm
