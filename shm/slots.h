// SPDX-License-Identifier: BSD-3-Clause
// shm/slots.h - the word that says what a slot is: FREE, JOINING, LIVE, EXPELLED or DEAD, of which generation, and who owes
// the record of its leaving (docs/shm-layout.md B1).
//
//   FREE -> JOINING -> LIVE -> DEAD -> JOINING (next generation) ...
//                 \       \-> EXPELLED -> DEAD
//                  \-> EXPELLED, DEAD
//
// Each change is one CAS; proof of death sets DEAD before anything else is done about it.
#pragma once

#include "shm/segment.h"

namespace evs::shm {

struct SlotWord {
  uint32_t generation = 0;
  uint32_t author = 0;   // EXPELLED, DEAD: the slot that owes the record of its leaving
  SlotState state = SlotState::free;
  MemberReason reason = MemberReason::stays;  // EXPELLED, DEAD: what that record shall say

  static SlotWord unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), static_cast<uint32_t>((word >> 8) & 0xffff),
            static_cast<SlotState>(word & 0xff), static_cast<MemberReason>((word >> 24) & 0xff)};
  }
  uint64_t pack() const {
    return uint64_t{generation} << 32 | uint64_t{static_cast<uint32_t>(reason)} << 24 | uint64_t{author} << 8 |
           static_cast<uint64_t>(state);
  }
};

inline SlotWord slot_word(const Segment& segment, uint32_t slot) {
  return SlotWord::unpack(segment.slot_word(slot).load(std::memory_order_acquire));
}

// Its claims and pins hold the ring: everybody but who is proven dead.
inline bool claims_count(SlotState s) {
  return s == SlotState::joining || s == SlotState::live || s == SlotState::expelled;
}
inline bool cursors_count(SlotState s) { return s == SlotState::live; }

// CAS from what was read; false when somebody else was first.
bool change_slot(const Segment& segment, uint32_t slot, SlotWord from, SlotWord to);

// Clears what a slot's last life left behind. Under the bus lock, before the slot becomes JOINING.
void wipe_slot(const Segment& segment, uint32_t slot);

// The furthest position behind which all LIVE cursors are: tail when nobody has one.
uint64_t lowest_cursor(const Segment& segment);

}  // namespace evs::shm
