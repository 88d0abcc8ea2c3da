// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/frame_store.cc - see frame_store.h.
#include "bus/ordering/frame_store.h"

#include <utility>

namespace evs::ordering {

FrameStore::FrameStore(uint32_t capacity) : slots_(capacity), mask_(capacity - 1) {}

void FrameStore::count_in(Seq seq, HostId sender) {
  if (seq > high_) {
    high_ = seq;
    last_sender_ = sender;
  }
  while (find(next(received_up_to_)) != nullptr) received_up_to_ = next(received_up_to_);
}

FrameStore::Put FrameStore::put(const Data& data, HostId sender, Bytes packet) {
  if (data.seq <= forgotten_) return Put::duplicate;
  if (data.seq.value - forgotten_.value > slots_.size()) return Put::outside;
  if (find(data.seq) != nullptr) return Put::duplicate;
  Frame& frame = slot(data.seq);
  frame.seq = data.seq;
  frame.previous = data.previous;
  frame.sender = sender;
  frame.service = data.service;
  frame.body = data.body;
  frame.piece_count = data.piece_count;
  frame.held = true;
  frame.delivered = false;
  frame.packet.assign(packet);
  count_in(data.seq, sender);
  return Put::fresh;
}

Frame& FrameStore::stamp(Seq seq, Seq previous, HostId sender) {
  Frame& frame = slot(seq);
  frame.seq = seq;
  frame.previous = previous;
  frame.sender = sender;
  frame.held = false;
  frame.delivered = false;
  frame.packet.end(0);
  return frame;
}

void FrameStore::hold_stamped(Seq seq) {
  Frame& frame = slot(seq);
  frame.held = true;
  count_in(seq, frame.sender);
}

void FrameStore::forget_through(Seq seq) {
  if (seq > received_up_to_) seq = received_up_to_;
  for (; forgotten_ < seq; forgotten_ = next(forgotten_)) slot(next(forgotten_)).held = false;
}

void FrameStore::begin_behind(Seq seq) {
  for (Frame& frame : slots_) frame.held = false;
  forgotten_ = received_up_to_ = high_ = seq;
  last_sender_ = kNoHost;
}

}  // namespace evs::ordering
