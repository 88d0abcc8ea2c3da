// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_beginnings.h - of each member the message whose first frames are forgotten and whose end is to come.
//
// Their bytes are copied out of the frames when these are forgotten, so that what a member can make us keep is one message, whatever else its frames
// hold. They are appended to a chain of slots behind what the file says of its length; the step that forgets the frames says the new length.
// Which fragments follow on each other is partial.h's rule, for a message of which only the length is at hand.
#pragma once

#include <map>
#include <optional>

#include "bus/ordering/partial.h"
#include "bus/runtime/uplink/window_slots.h"

namespace evs::runtime::uplink::window {

class Beginnings {
 public:
  Beginnings(Memory& memory, Slots& slots) : memory_(memory), slots_(slots) {}

  shm::Status adopt(uint64_t table, const ordering::Hosts& members);
  void load(std::map<ordering::HostId, ordering::Partial>& out) const;

  void begin_ring(const ordering::Hosts& members);  // with the step that ends the one before: its chains are given back
  // The fragments of a frame that is forgotten. `payload`: well-formed, of `piece_count` pieces.
  shm::Status keep(ordering::HostId sender, uint32_t piece_count, ordering::Bytes payload);
  void plan(uint64_t table);  // what was changed in this step
  void settle();
  void take_back();

 private:
  struct Beginning {
    uint64_t message = 0;
    uint32_t total = 0, next_index = 0;
    uint32_t bytes = 0;  // 0: there is none
    uint32_t first = kNoSlot, last = kNoSlot;
  };
  void note_change(size_t member);
  bool follows(const Beginning& kept, const ordering::wire::Piece& piece) const;
  void drop(Beginning& kept);
  shm::Status keep(size_t member, const ordering::wire::Piece& piece);
  shm::Status append(Beginning& kept, ordering::Bytes bytes);

  Memory& memory_;
  Slots& slots_;
  ordering::Hosts members_;
  std::vector<Beginning> of_;  // a member each
  std::vector<std::pair<size_t, Beginning>> before_;  // what the step has changed, as it was
  std::optional<std::pair<ordering::Hosts, std::vector<Beginning>>> last_ring_;  // until the step that ends it is taken
};

}  // namespace evs::runtime::uplink::window
