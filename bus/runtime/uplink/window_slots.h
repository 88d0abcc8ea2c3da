// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_slots.h - the slots of a window file: which are free, and chains of them.
//
// Which are free stands nowhere in the file: those that nothing refers to, found out when it is opened. So one can be filled before the step that refers to it, and
// a step that is not taken has taken none. What a step gives up is free from the next step on: until then the state of before refers to it.
// Their memory is reserved as it is needed, in chunks, and kept.
#pragma once

#include "bus/runtime/uplink/window_memory.h"

namespace evs::runtime::uplink::window {

inline constexpr uint32_t kNoSlot = UINT32_MAX;

class Slots {
 public:
  explicit Slots(Memory& memory) : memory_(memory), geometry_(memory.geometry()) {}

  // ---- While the file is opened: what is in use. ----
  shm::Status adopt(uint32_t slot);
  // The rest of the chain of so many bytes that begins with `first`; `last`: its last slot.
  shm::Status adopt_rest(uint32_t first, size_t bytes, uint32_t& last);
  shm::Status finish_adopting();

  // ---- A step. ----
  shm::Status take(uint32_t& slot);
  void link(uint32_t slot, uint32_t next);  // behind the end of a chain: nobody looks there yet
  shm::Status write_chain(ordering::Bytes bytes, uint32_t& first);
  void give_back(uint32_t first, size_t bytes);  // a chain
  void settle();     // the step was taken
  void take_back();  // it was not

  // The bytes of a chain; in `scratch` when they lie in several slots.
  ordering::Bytes bytes_of(uint32_t first, size_t bytes, std::vector<std::byte>& scratch) const;
  size_t room() const { return geometry_.slot_room(); }
  size_t count_for(size_t bytes) const { return bytes == 0 ? 1 : (bytes + room() - 1) / room(); }
  uint64_t data_at(uint32_t slot) const { return geometry_.slot_at(slot) + kSlotHeaderBytes; }
  size_t free_count() const { return free_.size(); }

 private:
  shm::Status reserve_through(uint32_t slots);

  Memory& memory_;
  const Geometry& geometry_;
  std::vector<uint32_t> next_;  // ours: what another process writes into the file leads us nowhere
  std::vector<bool> used_;      // while the file is opened
  std::vector<uint32_t> free_, taken_, freed_;
};

}  // namespace evs::runtime::uplink::window
