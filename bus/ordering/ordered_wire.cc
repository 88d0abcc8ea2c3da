// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_wire.cc - the one writer and the one reader of the packets that go over an ordered medium (docs/wire-format.md).
#include "bus/ordering/ordered_packets.h"
#include "bus/ordering/piece_reader.h"
#include "bus/ordering/wire_header.h"

namespace evs::ordering::wire {
namespace {

constexpr uint16_t kFlagChange = 1;

constexpr uint16_t flags_of(OrderedType type) { return type == OrderedType::frame ? kFlagChange : 0; }

Malformed check(const OrderedFrame& frame) {
  if (frame.payload.size() > kMaxPacketBytes - kOrderedFrameBytes) return Malformed::length;
  if (!is_ring(frame.ring) || frame.service > Service::safe || frame.number == 0) return Malformed::range;
  if (frame.piece_count == 0 || frame.piece_count > kMaxPieces) return Malformed::range;
  return Malformed::none;
}
Malformed check(const Acknowledgement& said) { return is_ring(said.ring) && said.acknowledged.value != 0 ? Malformed::none : Malformed::range; }
Malformed check(const State& state) {
  return is_ring(state.ring) && state.proposal > state.ring.sequence && state.proposal <= kMaxSequence ? Malformed::none : Malformed::range;
}

void put_front(ByteWriter& to, OrderedType type, uint16_t flags, const Host& sender, size_t bytes, const RingId& ring, uint32_t own) {
  put_header(to, static_cast<uint8_t>(type), flags, sender, bytes);
  put_ring(to, ring, own);
}

Malformed read_front(Bytes packet, Header& header) {
  const Malformed why = read_header(packet, static_cast<uint8_t>(OrderedType::frame), static_cast<uint8_t>(OrderedType::state), header);
  if (why != Malformed::none) return why;
  return (header.flags & ~flags_of(static_cast<OrderedType>(header.type))) == 0 ? Malformed::none : Malformed::range;
}

// The ring, and what its header has of the packet's own.
uint32_t take_ring(ByteReader& in, RingId& ring) {
  ring.representative = in.take<uint32_t>();
  const auto own = in.take<uint32_t>();
  ring.sequence = in.take<uint64_t>();
  ring.nonce = in.take<uint64_t>();
  return own;
}

Malformed read(Bytes packet, uint16_t flags, OrderedFrame& frame) {
  if (packet.size() < kOrderedFrameBytes) return Malformed::truncated;
  ByteReader in(packet.subspan(kHeaderBytes));
  const uint32_t own = take_ring(in, frame.ring);
  frame.service = static_cast<Service>(own & 0xff);
  if ((own >> 8 & 0xff) != 0) return Malformed::range;
  frame.piece_count = static_cast<uint16_t>(own >> 16);
  frame.change = (flags & kFlagChange) != 0;
  frame.acknowledged.value = in.take<uint64_t>();
  frame.changes = in.take<uint64_t>();
  frame.number = in.take<uint64_t>();
  frame.payload = in.rest();
  const Malformed why = check(frame);
  if (why != Malformed::none) return why;
  return walk_pieces(frame.payload, frame.piece_count);
}

Malformed read(Bytes packet, uint16_t, Acknowledgement& said) {
  const Malformed why = compare(packet, kAcknowledgementBytes);
  if (why != Malformed::none) return why;
  ByteReader in(packet.subspan(kHeaderBytes));
  if (take_ring(in, said.ring) != 0) return Malformed::range;
  said.acknowledged.value = in.take<uint64_t>();
  return check(said);
}

Malformed read(Bytes packet, uint16_t, State& state) {
  const Malformed why = compare(packet, kStateBytes);
  if (why != Malformed::none) return why;
  ByteReader in(packet.subspan(kHeaderBytes));
  if (take_ring(in, state.ring) != 0) return Malformed::range;
  state.proposal = in.take<uint64_t>();
  state.delivered.value = in.take<uint64_t>();
  return check(state);
}

template <class Packet>
Malformed decode_as(OrderedType type, Bytes packet, Packet& result) {
  Header header;
  Malformed why = read_front(packet, header);
  if (why == Malformed::none && static_cast<OrderedType>(header.type) != type) why = Malformed::type;
  if (why == Malformed::none) why = read(packet, header.flags, result);
  if (why != Malformed::none) result = Packet{};
  return why;
}

}  // namespace

bool encode(const Host& sender, const OrderedFrame& frame, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(frame) != Malformed::none) return false;
  {
    ByteWriter to(out, kOrderedFrameBytes);
    put_front(to, OrderedType::frame, frame.change ? kFlagChange : 0, sender, kOrderedFrameBytes + frame.payload.size(), frame.ring,
              static_cast<uint32_t>(frame.service) | static_cast<uint32_t>(frame.piece_count) << 16);
    to.put(frame.acknowledged.value);
    to.put(frame.changes);
    to.put(frame.number);
  }
  out.insert(out.end(), frame.payload.begin(), frame.payload.end());
  return true;
}

bool encode(const Host& sender, const Acknowledgement& said, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(said) != Malformed::none) return false;
  ByteWriter to(out, kAcknowledgementBytes);
  put_front(to, OrderedType::acknowledgement, 0, sender, kAcknowledgementBytes, said.ring, 0);
  to.put(said.acknowledged.value);
  return true;
}

bool encode(const Host& sender, const State& state, std::vector<std::byte>& out) {
  if (!is_host(sender.id) || check(state) != Malformed::none) return false;
  ByteWriter to(out, kStateBytes);
  put_front(to, OrderedType::state, 0, sender, kStateBytes, state.ring, 0);
  to.put(state.proposal);
  to.put(state.delivered.value);
  return true;
}

Malformed decode(Bytes packet, OrderedEnvelope& envelope) {
  Header header;
  const Malformed why = read_front(packet, header);
  envelope = why == Malformed::none ? OrderedEnvelope{static_cast<OrderedType>(header.type), header.sender} : OrderedEnvelope{};
  return why;
}

Malformed decode(Bytes packet, OrderedFrame& frame) { return decode_as(OrderedType::frame, packet, frame); }
Malformed decode(Bytes packet, Acknowledgement& said) { return decode_as(OrderedType::acknowledgement, packet, said); }
Malformed decode(Bytes packet, State& state) { return decode_as(OrderedType::state, packet, state); }

}  // namespace evs::ordering::wire
