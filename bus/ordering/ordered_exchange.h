// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_exchange.h - what the members of a medium's membership make of each other's states: the next ring, and who comes there with us.
//
// A state belongs to the membership at its place in the order, like a frame. That needs no name for memberships: a host has one state under way at most, and
// installs nothing before that has come back, so whatever it says is still true where it is read. The last missing state completes the
// exchange, at one place for all who read up to there.
//
// The ring is named after the host whose proposal is the highest. A proposal is above all that its host has installed or proposed, in any
// life, and is read in one membership only: no two rings have one name.
#pragma once

#include <optional>

#include "bus/ordering/ordered_packets.h"

namespace evs::ordering {

struct Exchange {
  struct Brought {
    Host host;
    State state;
  };
  std::vector<HostId> members;   // of the medium's membership, sorted; empty: we are in none
  std::vector<Brought> brought;  // by host

  // False: nobody waits for it.
  bool add(const Host& host, const State& state);
  bool complete() const { return !members.empty() && brought.size() == members.size(); }
};

struct Agreement {
  RingId ring;
  Hosts members;
  Hosts companions;               // come from our ring and were with us at each change of membership since: they have read what we have
  Seq delivered;                  // the most that one of them had delivered of our ring, in order
  // Somebody else comes from our ring by another way, and has read other things. Nobody may go on from one ring to the same next one through two
  // transitional configurations, so the companions step through a ring of their own first. The others see it so too, and do the same.
  std::optional<RingId> between;
};

// `together`: who was in each membership with us since `ring` was installed, sorted.
Agreement agree(const Exchange& exchange, const RingId& ring, const Hosts& members, const std::vector<HostId>& together);

}  // namespace evs::ordering
