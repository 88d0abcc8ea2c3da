// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/assembly.h - frames to messages: takes a delivered frame apart, and puts fragments together.
//
// One message under way a sender: a sender's fragments come in its own order (send_queue.h). A fragment that does not follow on the one
// before belongs to a message whose rest this host never gets (it joined, or the rest was lost with its sender); it is
// dropped with what there was. Whole messages are handed on where they lie in the frame; what was put together lies in a buffer that is
// used again, for memory that a message asks for is memory that the next one has to wait for.
#pragma once

#include <map>

#include "bus/ordering/frame_store.h"
#include "bus/ordering/output.h"
#include "bus/ordering/partial.h"

namespace evs::ordering {

class Assembly {
 public:
  explicit Assembly(uint32_t message_limit) : message_limit_(message_limit) {}

  void deliver(const RingId& ring, const Frame& frame, const Host& sender, bool transitional, Output& out);
  void begin_with(HostId sender, const Partial& partial);
  void forget_partial();      // another configuration
  size_t under_way(HostId sender) const {  // bytes of its message whose end is to come
    const auto found = partial_.find(sender);
    return found == partial_.end() ? 0 : found->second.bytes.size();
  }
  void release_finished() {   // what was handed on by the last call
    if (!finished_.empty()) keep_finished();
  }
  size_t spare_bytes() const { return spare_bytes_; }
  uint64_t broken_total() const { return broken_; }

 private:
  std::vector<std::byte> buffer_of(size_t bytes);
  void keep(std::vector<std::byte> buffer);
  void keep_finished();
  void drop(Partial& partial);
  Bytes put_together(HostId sender, const wire::Piece& piece);
  bool add(Partial& partial, const wire::Piece& piece);

  uint32_t message_limit_;
  std::map<HostId, Partial> partial_;
  std::vector<std::vector<std::byte>> finished_;
  std::vector<std::vector<std::byte>> spare_;  // the longest unused first
  size_t spare_bytes_ = 0;
  uint64_t broken_ = 0;
};

}  // namespace evs::ordering
