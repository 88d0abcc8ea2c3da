// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/rare.h - branches that a bad day takes, counted: so that the simulator can tell what its runs have been through, and metrics what a
// cluster has.
//
// What is refused is counted by Drop, why a host gathers by Why (output.h); these are the turns that neither shows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace evs::ordering {

enum class Rare : uint8_t {
  // gather
  second_chance,           // all agree, and no commit came: asked once more
  representative_given_up, // and once more
  lowest_ones_word,        // the time is up: whom the lowest of those heard has given up is given up
  silent_given_up,         // the time is up, and nobody knows better: who said nothing is given up
  failed_us_in_return,     // who gives us up is given up
  quarantine_doubled,
  asked_by_name,           // who is in quarantine asks for us: heard
  leaver_heard,
  former_life_over,        // an id came back with another nonce, and its former life is given up
  // commit, recovery
  companion_came_around,   // a member of the old ring comes from another one: no companion
  recovery_broken_once,    // since a ring was installed
  recovery_broken_twice,
  recovery_broken_thrice,  // or more often
  partial_restarted,       // a message of ours was between its pieces when the ring changed
  // the end of a configuration
  others_had_delivered,    // SAFE in the old configuration because a companion had
  early_by_others,         // UNORDERED, FIFO that a companion may have delivered early
  discarded_behind_gap,
  obliged_behind_gap,
  obliged_beyond_companions,  // behind a gap, from somebody who does not go on with us
  // operation
  allowance_all_repeats,   // what others miss left no room for anything new
  wishes_cut,              // more is missing than a token can ask for
  window_closed,           // somebody is far behind: nothing new
  hold_cancelled,          // the idle token was let go because somebody asked
  spoke_in_place,          // who speaks alone said something, and kept the token
  alone_in_slices,         // a ring of one had more to say than one call may
  pause_noticed,           // we did not run for a while
  // readers that are slow
  no_room,                 // something could be delivered, and waits
  ending_held,             // the end of a configuration waits for room, while the next ring works
  stalled_left,            // nothing could be delivered for so long that this host left the ring
  ring_broke_while_held,   // the next ring broke before the end of the one before was delivered: left
  // a host that is there and does not do its part
  given_up_as_holder,      // it said for too long that its readers are slow
  exchange_given_up,       // its opening did not come, or we cannot read it
  barrier_given_up,        // it does not deliver what others have delivered
  count_
};
inline constexpr size_t kRares = static_cast<size_t>(Rare::count_);

// And what a ring does on any day, of all rings so far.
struct RingWork {
  uint64_t tokens = 0;      // that came, of a ring of more than one
  uint64_t asked = 0;       // frames that were missing here, each time that they were asked for
  uint64_t said_again = 0;  // frames of whoever, because somebody asked
};

class RareCounts {
 public:
  RingWork ring;
  void saw(Rare what) { ++counts_[static_cast<size_t>(what)]; }
  uint64_t of(Rare what) const { return counts_[static_cast<size_t>(what)]; }

 private:
  std::array<uint64_t, kRares> counts_{};
};

}  // namespace evs::ordering
