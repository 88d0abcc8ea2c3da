// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/mutant.h - rules that can be left out, so that the simulator shows that it would notice (docs/protocol.md).
//
// In the library that libevs is made of each of these is the constant false, and nothing of it remains. A second build of the
// same files, for tests alone, has EVS_ORDERING_MUTANTS.
#pragma once

#include <cstdint>

namespace evs::ordering {

enum class Mutant : uint8_t {
  none,
  safe_on_one_visit,      // SAFE is delivered when the line has been seen once
  no_obligations,         // nobody is obliged to anything
  direct_obligations,     // obligations are the companions, not what these were obliged to
  companions_by_name,     // the members of the transitional configuration are told by id, not by the ring that they come from
  no_freeze,              // frames of the old ring are taken and delivered after the have-list was given away
  duplicate_is_progress,  // a repeated token restarts the timer for its loss
  ask_for_the_unsent,     // with the early token: asks for what is not on the wire yet
  ask_up_to_highest_held, // does not miss what it has never heard of
  partial_goes_on,        // a message that a configuration cut in two is continued in the next one
  failed_us_is_heard,     // a join that names us failed is listened to, in operation and in quarantine
  no_probe,               // idle rings do not look for each other
  no_early_step,          // what may have been delivered early is not delivered in the old configuration by all
  most_delivered_ignored, // the end of the old configuration does not look at what others had delivered
  one_visit_install,      // a ring is installed as soon as this host has everything
  no_barrier,             // messages are stamped while a change of processes is under way
  barrier_on_one_visit,   // the barrier falls when the line was seen once
  ring_sequence_lost,     // the sequence of rings is not stored: a host that comes back counts anew
  stamps_stored_late,     // stamps are stored when the frames that have them are sent
  received_not_stored,    // what others sent is not stored before the token tells that we have it
  obligations_not_stored,
  ending_not_stored,      // that the old configuration's end has begun, and with whom
  told_again,             // a successor does not look at what its predecessor delivered
  uninstalled_promised,   // the line counts frames of a ring that is not installed, because the end of the one before waits for room
  window_outrun,          // the line counts all that is held, also when it lies in the window undelivered
  stalled_stays,          // who cannot deliver does not leave by itself, and nobody gives it up
  transition_not_saved,   // a successor does not know that processes have been told a transitional configuration
  told_table_not_saved,   // nor what they were told of groups before hosts parted
  try_not_stored,         // a host votes for a primary ring and does not write it down
  tries_ignored,          // a ring is primary without a majority of one that may have been
  try_stored_late,        // a try is stored when it has succeeded, not before the vote
  formed_not_stored,      // that a ring was formed is told and not written down
  votes_not_awaited,      // a ring is primary as soon as all have said that it may be
  epoch_reused,           // a try's epoch is one above the last primary ring's, whatever was tried since
  disk_keeps_its_number,  // a host that has lost what it voted for comes back as the one that it was (the simulator's)
  standing_not_saved,     // a successor does not know that the ring was primary
  votes_not_saved,        // nor who has voted
  try_of_another_disk,    // a successor whose disk was lost writes down the try that its predecessor was in
  held_twice,             // a token that rests here is acted upon when it is said again, and once more when its rest is over
  // Over an ordered medium; those of the token ring stand before these, because each simulator's list of names is a row of this one.
  ordered_safe_at_once,        // SAFE needs no acknowledgement
  ordered_change_at_once,      // a change of the configuration of processes needs none: a stability that counts receptions stands for installations
  ordered_speaks_ahead,        // who has read a change speaks in the configuration behind it, and acknowledges what is said there, before it is
                               // installed; where it never is, what is said there is left out
  ordered_no_early_step,       // the end of a configuration does not look at what others had delivered
  ordered_companions_by_name,  // whoever was in the old configuration comes from it
  ordered_no_step_between,     // two parts of one configuration meet again as if they came from two
  ordered_cut_goes_on,         // what a change of membership cut off is not said again
  ordered_same_proposal,       // a host that was interrupted proposes the same sequence again
  ordered_named_after_lowest,  // a ring is named after the lowest host, not after whose sequence it has
  ordered_not_frozen,          // stability that the medium tells behind the end of a configuration is taken for that one's
  ordered_state_each_time,     // a state is sent at each change of membership, also while the one before is under way
  count_
};

#ifdef EVS_ORDERING_MUTANTS
extern Mutant g_mutant;
inline bool planted(Mutant mutant) { return g_mutant == mutant; }
#else
constexpr bool planted(Mutant) { return false; }
#endif

}  // namespace evs::ordering
