// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/frame_store.h - the frames of one ring that this host holds: a window over the ring's order.
//
// A frame is kept as the packet that it came in, so that saying it again is a copy, and saying it in the next ring (recovery) is a copy
// with a header around it. Slots are used again, buffers with them: in the steady state nothing is allocated. What is outside the
// window is refused, never stored elsewhere: flow control keeps senders from going there (flow.h).
#pragma once

#include <utility>

#include "bus/ordering/packet_buffer.h"
#include "bus/ordering/wire.h"

namespace evs::ordering {

struct Frame {
  Seq seq;
  Seq previous;
  HostId sender = kNoHost;
  Service service = Service::agreed;
  Body body = Body::pieces;
  uint16_t piece_count = 0;
  bool held = false;
  bool delivered = false;
  PacketBuffer packet;

  Bytes payload() const { return Bytes(packet).subspan(wire::kDataHeaderBytes); }
};

class FrameStore {
 public:
  explicit FrameStore(uint32_t capacity);  // a power of two

  enum class Put : uint8_t { fresh, duplicate, outside };
  Put put(const Data& data, HostId sender, Bytes packet);
  // The slot of a frame of our own, the next of the ring: its packet is encoded in place, and then it is held; or it is not.
  Frame& stamp(Seq seq, Seq previous, HostId sender);
  void hold_stamped(Seq seq);

  Frame* find(Seq seq) { return const_cast<Frame*>(std::as_const(*this).find(seq)); }
  const Frame* find(Seq seq) const {
    const Frame& frame = slots_[seq.value & mask_];
    return frame.held && frame.seq == seq ? &frame : nullptr;
  }

  Seq received_up_to() const { return received_up_to_; }  // nothing is missing up to here
  Seq high() const { return high_; }                      // the highest held
  HostId last_sender() const { return last_sender_; }     // whose that is, also when it is forgotten; kNoHost: there was none
  Seq forgotten_through() const { return forgotten_; }
  void forget_through(Seq seq);
  uint32_t capacity() const { return static_cast<uint32_t>(slots_.size()); }
  void clear() { begin_behind(Seq{}); }
  void begin_behind(Seq seq);  // empty, and what is up to there was forgotten

 private:
  Frame& slot(Seq seq) { return slots_[seq.value & mask_]; }
  void count_in(Seq seq, HostId sender);

  std::vector<Frame> slots_;
  uint64_t mask_;
  Seq forgotten_, received_up_to_, high_;
  HostId last_sender_ = kNoHost;
};

}  // namespace evs::ordering
