// SPDX-License-Identifier: BSD-3-Clause
// shm/view.h - the membership: a fold over the ring's membership records.
//
// A membership record carries the whole list, a change number and the position and number of its predecessor. It is valid only if that is the
// membership in force where it stands; otherwise everybody ignores it alike and its author tries again (docs/shm-layout.md B8).
//
// Each process publishes the view that it has read last in its own slot: two copies, one writer, switched by one word, so that a kill
// in the middle leaves the old one. The latest membership is the newest of all slots'. A reader publishes before its cursor passes
// the record; `covered` (room.h) says up to where that has been done by somebody, and the ring is never reused beyond it. So a walk that
// loads `covered` first, then the newest published view, and reads on to the tail finds every change, also when nobody has a cursor.
#pragma once

#include <vector>

#include "shm/record.h"

namespace evs::shm {

struct View {
  uint64_t change = 0;    // 0: nobody was ever a member
  uint64_t position = 0;  // of the record
  std::vector<MemberEntry> members;  // sorted by slot
  std::vector<MemberEntry> left;     // by this change, with the reason

  const MemberEntry* find(uint32_t slot, uint32_t generation) const;
};

// Bytes of a membership record's payload.
std::vector<unsigned char> encode_membership(const View& next, const View& previous);

enum class Fold { taken, ignored, damaged };
// Takes the record at `position` into `view` if it is valid there. `record` must be of kind membership. The caller then checks that
// the position was not lapped while it was read.
Fold fold(const Segment& segment, uint64_t position, const RecordView& record, View& view);

// Who is in `from` and not in `to`, with the reason that the slot's word still tells.
std::vector<MemberEntry> left_between(const View& from, const View& to, const Segment& segment);

// The newest published view.
View load_latest(const Segment& segment);

// Writes the view into our own slot if it is newer than what stands there. One thread at a time.
void publish(const Segment& segment, uint32_t own_slot, const View& view);

enum class Walk {
  done,     // read up to the tail as it was at the call or later
  blocked,  // at a unit that is claimed and not committed; call again
  lapped,   // the ring was reused under us: begin anew
  damaged,  // an impossible record
};
// Reads membership records from `position` on.
Walk walk(const Segment& segment, uint64_t& position, View& view, uint64_t until);

}  // namespace evs::shm
