// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/stored.h - what a host has told others and its own log, put together for the process that goes on when this one is killed.
//
// Each `store`, `deliver`, `configuration` and `stamped` effect is one step of this state, taken when the effect is carried out and
// wholly or not at all: whatever the moment of death, what is here is what was done. The log itself holds deliveries and configurations, so they are
// never stored a second time. A carrier with shared memory keeps the frames where the core's window lies, and its step is a word.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "bus/ordering/protocol.h"

namespace evs::ordering {

struct StoredState {
  uint64_t ring_sequence = 0;
  std::vector<uint64_t> lives;  // boot nonces of this host's instances since it began, the latest last

  // The ring that is installed; none, all zero, before the first.
  RingId ring;
  Hosts members;
  Hosts obligations;
  Seq forgotten;                                    // all have it and we have delivered it: no longer among the frames
  std::map<Seq, std::vector<std::byte>> frames;
  std::map<HostId, Partial> beginnings;             // of messages whose end is to come, and whose first frames are forgotten: one a member
  std::vector<Stamped> transmitted;                 // stamped, and the outbox has not been told
  std::optional<Ending> ending;                     // the ring's end is under way
  bool transitional_told = false;
  std::set<std::pair<Seq, uint32_t>> told;          // places beyond `forgotten` that were delivered
  Seq told_in_order;                                // the highest of them that has a place in the order
};

// `effect` of `out`, which `protocol` gave, was carried out. Frames are read from `protocol`: before the next call into it.
void apply(StoredState& state, const Effect& effect, const Output& out, const Protocol& protocol);

}  // namespace evs::ordering
