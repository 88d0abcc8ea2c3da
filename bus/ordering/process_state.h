// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_state.h - all that the hosts' order has said of processes so far; what a successor goes on from (docs/stored-state.md, "Processes").
//
// A function of what was delivered, so two that have digested the same have the same. What was submitted and has no place yet is nowhere in it.
#pragma once

#include <map>
#include <optional>

#include "bus/ordering/processes.h"

namespace evs::ordering {

using Table = std::map<NodeId, Member>;

struct ProcessState {
  RingId ring;
  Hosts hosts;                          // of this ring; while folding those of them who go on
  bool exchanged = false;               // of this ring
  bool folding = false;                 // within the hosts' transitional configuration
  std::map<HostId, Opening> openings;   // of this ring, until the exchange is complete or broken off
  std::map<HostId, bool> votes;         // all openings are here, and this ring tries to become the primary one: who has voted, and whether for it
  ProcessConfiguration config;          // the regular one that is, or was last, in force
  std::optional<Processes> transition;  // the transitional configuration in force
  uint64_t change = 0;                  // number of the last regular configuration that this ring gave
  Table table;                          // of all hosts that went through an exchange with us, all that was ordered so far
  std::optional<Table> told_table;      // since hosts parted, as it was told: what differs behind the exchange that follows is told there
};

size_t opening_bytes(const Table& table, HostId host);  // as the table has it now
bool is_voting(const ProcessState& state);
Decision decide(const ProcessState& state);             // when all openings are here

namespace stored {

inline constexpr uint32_t kProcessesFormat = 2;

// Appended to `out`.
void encode(const ProcessState& state, HostId self, std::vector<std::byte>& out);
// Of memory that outlived the process which wrote it, so it is read like a packet. False: another format or another host's, or no host can have
// come to this; nothing of it is left behind. What is taken and encoded again has the same bytes.
bool decode(Bytes saved, HostId self, ProcessState& state);

}  // namespace stored
}  // namespace evs::ordering
