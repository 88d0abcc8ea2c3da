// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_places.h - the installed ring's order as a window file has it: a frame a place, and which of its messages were delivered.
//
// What is up to `forgotten` does not count, wherever it stands; and of the places behind it each has one word for its frame, and one for what was told. Both
// say of which lap they are.
// A message that is delivered is a bit, and the word that says up to which index bits count: in the next lap they need not be taken out.
#pragma once

#include "bus/ordering/stored.h"
#include "bus/runtime/uplink/window_beginnings.h"

namespace evs::runtime::uplink::window {

class Places {
 public:
  Places(Memory& memory, Slots& slots, Beginnings& beginnings) : memory_(memory), g_(memory.geometry()), slots_(slots), beginnings_(beginnings) {}

  shm::Status adopt(const ordering::RingId& ring);
  void load(ordering::StoredState& out) const;

  void begin_ring(ordering::Seq forgotten);  // with the step that ends the one before
  shm::Status take(const ordering::Window& window, const ordering::Output& out, const ordering::Protocol& protocol);
  shm::Status take(const ordering::Delivery& delivery);
  void settle();
  void take_back();

  uint64_t table() const { return table_; }

 private:
  struct Held {
    ordering::Seq seq;  // 0: none
    uint32_t slot = kNoSlot, size = 0;
    ordering::HostId sender = ordering::kNoHost;
    uint32_t piece_count = 0;  // of a frame of messages
  };
  bool is_ahead(ordering::Seq seq) const { return seq > forgotten_; }
  bool has_place(ordering::Seq seq) const { return seq.value - forgotten_.value <= g_.places; }
  shm::Status store(ordering::Seq seq, const ordering::Frame& frame);
  shm::Status forget_through(ordering::Seq seq);
  shm::Status adopt_frame(ordering::Seq seq, uint32_t first, const ordering::RingId& ring);
  shm::Status no_place(ordering::Seq seq) const;
  void put(ordering::Seq seq, const Held& held);
  uint32_t told_count(ordering::Seq seq) const;

  Memory& memory_;
  const Geometry& g_;
  Slots& slots_;
  Beginnings& beginnings_;
  std::vector<Held> held_;  // ours, like the slots
  std::vector<std::pair<uint64_t, Held>> before_;
  std::vector<Held> held_of_last_ring_;  // until the step that ends it is taken
  std::vector<std::byte> scratch_;
  uint64_t table_ = 0, table_before_ = 0;
  ordering::Seq forgotten_, forgotten_before_, told_in_order_, told_in_order_before_;
};

}  // namespace evs::runtime::uplink::window
