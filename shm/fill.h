// SPDX-License-Identifier: BSD-3-Clause
// shm/fill.h - closing the hole that a dead claimant left, one unit at a time (docs/shm-layout.md A5).
//
// No length is ever needed: a unit is padded only when nobody alive can own it. A live owner's inner units are never reached, because
// readers step from its first unit over the whole record once it is committed.
#pragma once

#include "shm/segment.h"

namespace evs::shm {

enum class Fill {
  padded,      // the unit is now a pad
  committed,   // somebody committed it meanwhile
  unclaimed,   // nothing there: position is the tail
  alive,       // a live (perhaps stopped) member may own it; `owner` names the slot
  lapped,      // the ring went on over this position: the caller was expelled or read without a pin
};

// The caller keeps the ring from being reused behind `position`: by a cursor of a LIVE slot, or by a pin.
Fill fill(const Segment& segment, uint64_t position, uint32_t* owner = nullptr);

// Pads what a dead slot's open claims left, as far as that is certain. Sets and clears this process's fill pin.
// Returns the number of units padded.
uint64_t fill_claims_of(const Segment& segment, uint32_t dead_slot, uint32_t own_slot);

// Sets a pin of our own slot and says whether it holds: the position was not lapped before the pin could be seen.
bool set_pin(const Segment& segment, uint32_t own_slot, uint32_t which, uint64_t position);
void clear_pin(const Segment& segment, uint32_t own_slot, uint32_t which);

}  // namespace evs::shm
