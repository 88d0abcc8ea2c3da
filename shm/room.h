// SPDX-License-Identifier: BSD-3-Clause
// shm/room.h - how far may claims go before they would overwrite what somebody still needs?
//
// The bound is min(cursors, pins, open claims, the role's pin, covered) + capacity, found by looking at every member (docs/shm-layout.md A2, A6). Looking
// costs a cache line a reader, so a process looks about four times a lap and remembers up to where it need not look again.
// A remembered bound stays true: what appears later (a cursor, a pin, a claim) begins at or behind the tail seen here, and
// the bound is at most that tail + capacity.
#pragma once

#include "shm/segment.h"

namespace evs::shm {

enum class Holder : uint32_t { none, cursor, pin, claim, covered, role };

struct RoomScan {
  uint64_t tail = 0;
  uint64_t lowest = 0;  // the position that bounds
  uint64_t limit = 0;   // lowest + capacity
  Holder holder = Holder::none;
  uint32_t slot = 0;    // of the holder; covered and role have none
  uint32_t index = 0;   // which cursor, pin or cell
};

// Where a record of so many bytes that is claimed at `tail` ends: at the end of the buffer it takes the rest of the lap with it (A4).
inline uint64_t claim_end(const Geometry& g, uint64_t tail, uint64_t bytes) {
  const uint64_t offset = tail & g.mask;
  return tail + (offset + bytes > g.capacity ? g.capacity - offset : 0) + bytes;
}

// Looks at everybody. Also raises `covered` to the furthest LIVE cursor, before the limit is used: that cursor's owner has published
// every membership before it, and must be counted while it still stands there.
RoomScan scan_room(const Segment& segment);

// What a process remembers of its scans. Any thread, any signal handler.
class Room {
 public:
  // Called from the slow path with what was seen: rings the service threads of whoever holds the ring.
  using Notice = void (*)(void* context, const RoomScan& scan);

  void bind(const Segment* segment, Notice less_than_half, void* context) {
    segment_ = segment;
    less_than_half_ = less_than_half;
    context_ = context;
    checked_.store(0, std::memory_order_relaxed);
    rung_half_lap_.store(0, std::memory_order_relaxed);
  }
  // May a claim end at `end`? Ordinary claims leave the reserve alone (B10).
  bool admits(uint64_t end, bool use_reserve) {
    if (admits_at_once(end) && !use_reserve) return true;
    return look(end, use_reserve);
  }
  // An ordinary one, by what is remembered.
  bool admits_at_once(uint64_t end) const { return end <= checked_.load(std::memory_order_acquire); }

 private:
  bool look(uint64_t end, bool use_reserve);

  const Segment* segment_ = nullptr;
  Notice less_than_half_ = nullptr;
  void* context_ = nullptr;
  alignas(kLine) std::atomic<uint64_t> checked_{0};  // ordinary claims up to here need no look
  std::atomic<uint64_t> rung_half_lap_{0};
};

}  // namespace evs::shm
