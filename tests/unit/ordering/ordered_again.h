// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/ordered_again.h - as wire_again.h, for the packets that go over an ordered medium.
#pragma once

#include "bus/ordering/ordered_packets.h"
#include "tests/unit/ordering/wire_again.h"

namespace evs::ordering::wire {

inline bool same(const OrderedFrame& a, const OrderedFrame& b) {
  const auto rest = [](const OrderedFrame& f) { return std::tie(f.ring, f.service, f.change, f.piece_count, f.acknowledged, f.changes, f.number); };
  return rest(a) == rest(b) && std::equal(a.payload.begin(), a.payload.end(), b.payload.begin(), b.payload.end());
}
inline bool same(const Acknowledgement& a, const Acknowledgement& b) { return a.ring == b.ring && a.acknowledged == b.acknowledged; }
inline bool same(const State& a, const State& b) {
  return std::tie(a.ring, a.proposal, a.delivered) == std::tie(b.ring, b.proposal, b.delivered);
}

template <typename Packet>
Verdict ordered_again_as(Bytes bytes, const Host& sender) {
  Packet packet;
  const Malformed why = decode(bytes, packet);
  if (why != Malformed::none) return {why, same(packet, Packet{})};
  std::vector<std::byte> out;
  const bool encoded = encode(sender, packet, out);
  return {why, encoded && std::equal(bytes.begin(), bytes.end(), out.begin(), out.end())};
}

inline Verdict ordered_again(Bytes bytes) {
  OrderedEnvelope envelope;
  const Malformed why = decode(bytes, envelope);
  if (why != Malformed::none) return {why, envelope.sender == Host{}};
  switch (envelope.type) {
    case OrderedType::frame: return ordered_again_as<OrderedFrame>(bytes, envelope.sender);
    case OrderedType::acknowledgement: return ordered_again_as<Acknowledgement>(bytes, envelope.sender);
    case OrderedType::state: return ordered_again_as<State>(bytes, envelope.sender);
  }
  return {why, false};
}

}  // namespace evs::ordering::wire
