// SPDX-License-Identifier: BSD-3-Clause
// shm/role.h - the gateway role's place in a segment: a pin that belongs to no slot, and what became of a claim of who died.
//
// One process of a host carries messages to other hosts, and may be killed at any instruction; another one takes its place and must find every record from the
// first on that is not known to be safe. So the pin stands in the segment itself and counts whoever lives (docs/shm-layout.md, "The role's pin").
// Who holds the role is decided elsewhere: one at a time calls these functions.
#pragma once

#include "shm/segment.h"

namespace evs::shm {

// Where the pin keeps the ring from; 0: none is kept (a first setting that its process did not survive included).
uint64_t role_position(const Segment& segment);

// Sets the pin at the end of the order when none is kept; returns where it is. A tail or a pin that no member which follows the rules can have left: 0.
uint64_t open_role(const Segment& segment, uint32_t slot, uint32_t generation);
void close_role(const Segment& segment, uint32_t slot, uint32_t generation);  // forgets the holder, not the pin

// Moves the pin on; a lower position changes nothing. False: there is none, or the position cannot be one.
bool keep_role(const Segment& segment, uint64_t position);

// The slot of who opened the role last, while that life of it is not proved dead; UINT32_MAX: nobody.
uint32_t role_holder(const Segment& segment);

enum class Settled {
  committed,
  padded,       // or given up: no record is there, nor ever will be
  alive,        // an uncommitted unit at it or before it, whose claimant is not proved dead
  lost,         // before the pin, and the ring went on over it or may have: nobody can tell
  not_claimed,  // behind the end, or within another's record
  damaged,
};
// What became of the record that was to stand at `position`. Pads what dead claimants left up to there; `padded` counts the units. Uses our slot's fill pin.
Settled settle_claim(const Segment& segment, uint32_t own_slot, uint64_t position, uint64_t& padded);

}  // namespace evs::shm
