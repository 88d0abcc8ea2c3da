// SPDX-License-Identifier: BSD-3-Clause
// shm/room.cc - the scan behind the room rule.
#include "shm/room.h"

#include <algorithm>

#include "shm/slots.h"

namespace evs::shm {

namespace {

void raise(std::atomic<uint64_t>& word, uint64_t to) {
  uint64_t now = word.load(std::memory_order_relaxed);
  while (now < to && !word.compare_exchange_weak(now, to, std::memory_order_seq_cst)) {}
}

struct Lowest {
  RoomScan& scan;
  void consider(uint64_t position, Holder holder, uint32_t slot, uint32_t index) {
    if (position >= scan.lowest) return;
    scan.lowest = position;
    scan.holder = holder;
    scan.slot = slot;
    scan.index = index;
  }
};

// A6: an open claim counts while its unit is uncommitted and not lapped. A *loser* that was stopped names a position that
// others committed and passed long ago; it must not hold the ring.
bool claim_counts(const Segment& segment, uint64_t position, uint64_t tail) {
  return tail <= position + segment.geometry().capacity && !segment.committed(position);
}

}  // namespace

RoomScan scan_room(const Segment& segment) {
  const Geometry& g = segment.geometry();
  HotWords& hot = segment.hot();
  RoomScan scan;
  // PIN: the tail is read before any pin; who pins reads the tail again behind a fence. One of the two sees the other.
  scan.tail = hot.tail.load(std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  scan.lowest = scan.tail;
  Lowest lowest{scan};
  uint64_t furthest = 0;
  // The role's pin is nobody's: it counts whoever lives. Its reader has no cursor that would, and nothing is known of how far its process has
  // published, so it is not among those whom `covered` follows.
  if (const uint64_t at = hot.role_pin.load(std::memory_order_seq_cst); at != 0) lowest.consider(at & kPositionMask, Holder::role, 0, 0);
  for (uint32_t i = 0; i < g.max_members; ++i) {
    const SlotState state = slot_word(segment, i).state;
    if (!claims_count(state)) continue;
    const Slot& slot = segment.slot(i);
    // Pins before cursors: a cursor is placed under its pin, which is taken away only then. The other way round both could be missed.
    const uint32_t pins = std::min(slot.pins_used.load(std::memory_order_acquire), kPins);
    for (uint32_t p = 0; p < pins; ++p) {
      const uint64_t at = slot.pins[p].position.load(std::memory_order_seq_cst);
      if (at != 0) lowest.consider(at & kPositionMask, Holder::pin, i, p);
    }
    if (cursors_count(state)) {
      const uint32_t used = std::min(slot.cursors_used.load(std::memory_order_acquire), kCursors);
      for (uint32_t c = 0; c < used; ++c) {
        const uint64_t at = slot.cursors[c].position.load(std::memory_order_seq_cst);
        if (at == 0) continue;
        lowest.consider(at & kPositionMask, Holder::cursor, i, c);
        furthest = std::max(furthest, at & kPositionMask);
      }
    }
    const uint32_t cells = std::min(slot.cells_used.load(std::memory_order_acquire), kCells);
    for (uint32_t c = 0; c < cells; ++c) {
      const uint64_t intent = slot.cells[c].intent.load(std::memory_order_acquire);
      if (intent == 0) continue;
      const uint64_t position = intent & kPositionMask;
      if (position < scan.lowest && claim_counts(segment, position, scan.tail))
        lowest.consider(position, Holder::claim, i, c);
    }
  }
  // A faulty member's cursor may say anything: no further than the tail.
  raise(hot.covered, std::min(furthest, scan.tail));
  lowest.consider(hot.covered.load(std::memory_order_seq_cst), Holder::covered, 0, 0);
  if (scan.lowest == scan.tail) scan.holder = Holder::none;
  scan.limit = scan.lowest + g.capacity;
  return scan;
}

bool Room::look(uint64_t end, bool use_reserve) {
  const Geometry& g = segment_->geometry();
  const RoomScan scan = scan_room(*segment_);
  const uint64_t ordinary = scan.limit - g.reserve;
  if (scan.limit < scan.tail + g.capacity / 2 && less_than_half_ != nullptr) {
    const uint64_t half_lap = scan.tail / (g.capacity / 2);
    if (rung_half_lap_.exchange(half_lap, std::memory_order_relaxed) != half_lap) less_than_half_(context_, scan);
  }
  if (use_reserve) return end <= scan.limit;
  if (end > ordinary) return false;
  // Look again after a quarter of a lap although there is room: a reader that has fallen behind is rung while there is
  // still half of the ring for it to catch up in.
  const uint64_t until = std::min(ordinary, std::max(end, scan.tail + g.capacity / 4));
  uint64_t now = checked_.load(std::memory_order_relaxed);
  while (now < until && !checked_.compare_exchange_weak(now, until, std::memory_order_release)) {}
  return true;
}

}  // namespace evs::shm
