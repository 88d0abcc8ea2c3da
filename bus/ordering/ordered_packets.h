// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_packets.h - what hosts say to each other over a medium that orders by itself; docs/wire-format.md draws it, ordered_wire.cc
// moves it.
//
//   frame             messages, or pieces of one
//   acknowledgement   how far I have come: when I have no frame to say it in, and somebody waits for it
//   state             what I bring into the configuration that is being agreed on
//
// All go to all, and come back to their sender, in the medium's one order.
#pragma once

#include "bus/ordering/wire.h"

namespace evs::ordering {

enum class OrderedType : uint8_t { frame = 16, acknowledgement = 17, state = 18 };

// Counts begin anew with each ring. A frame's place is the number of frames in force up to it: it is counted by who reads, and written nowhere.
struct OrderedFrame {
  RingId ring;
  Service service = Service::agreed;
  bool change = false;       // its last piece ends a message behind which another configuration of processes is in force
  uint16_t piece_count = 0;
  Seq acknowledged;          // the sender has everything up to here
  uint64_t changes = 0;      // that the sender had delivered: the configuration of processes that it speaks in
  uint64_t number = 0;       // of the sender's frames in this ring; 1 is the first
  Bytes payload;
};

struct Acknowledgement {
  RingId ring;
  Seq acknowledged;
};

struct State {
  RingId ring;               // that the sender comes from
  uint64_t proposal = 0;     // a sequence for the next ring; no two states of one host have the same
  Seq delivered;             // in order, of `ring`
};

namespace wire {

inline constexpr size_t kOrderedFrameBytes = 72;
inline constexpr size_t kAcknowledgementBytes = 56;
inline constexpr size_t kStateBytes = 64;
// So that a frame is kept and taken apart as those of a token ring are (frame_store.h).
static_assert(kOrderedFrameBytes == kDataHeaderBytes);

struct OrderedEnvelope {
  OrderedType type = OrderedType::frame;
  Host sender;
};

// As in wire.h.
bool encode(const Host& sender, const OrderedFrame& frame, std::vector<std::byte>& out);
bool encode(const Host& sender, const Acknowledgement& acknowledgement, std::vector<std::byte>& out);
bool encode(const Host& sender, const State& state, std::vector<std::byte>& out);
Malformed decode(Bytes packet, OrderedEnvelope& envelope);
Malformed decode(Bytes packet, OrderedFrame& frame);
Malformed decode(Bytes packet, Acknowledgement& acknowledgement);
Malformed decode(Bytes packet, State& state);

}  // namespace wire
}  // namespace evs::ordering
