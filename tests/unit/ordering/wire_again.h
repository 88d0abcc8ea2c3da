// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_again.h - what a decoder makes of any bytes, and whether the encoder says the same again.
//
// For the tests and for the fuzzer: every packet has one form, so a packet that is taken must come out as it went in; one that
// is refused must leave nothing behind.
#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "bus/ordering/ordered_packets.h"
#include "bus/ordering/wire.h"
#include "tests/support/again.h"

namespace evs::ordering::wire {

inline bool same(const Data& a, const Data& b) {
  const auto rest = [](const Data& d) { return std::tie(d.ring, d.seq, d.previous, d.round, d.service, d.body, d.piece_count); };
  return rest(a) == rest(b) && std::equal(a.payload.begin(), a.payload.end(), b.payload.begin(), b.payload.end());
}
inline bool same(const Token& a, const Token& b) {
  const auto all = [](const Token& t) {
    return std::tie(t.ring, t.visit, t.high, t.received_by_all, t.lowered_by, t.spent, t.backlog, t.recovering, t.stage, t.stage_by, t.change,
                    t.delivered_by_all, t.delayed_by, t.held_by, t.wanted);
  };
  return all(a) == all(b);
}
inline bool same(const Join& a, const Join& b) {
  const auto all = [](const Join& j) { return std::tie(j.ring_sequence, j.leaving, j.candidates, j.failed, j.superseded); };
  return all(a) == all(b);
}
inline bool same(const CommitEntry& a, const CommitEntry& b) {
  const auto all = [](const CommitEntry& e) {
    return std::tie(e.old_ring, e.received_up_to, e.high, e.delivered, e.filled, e.obligations);
  };
  return all(a) == all(b);
}
inline bool same(const Commit& a, const Commit& b) {
  return std::tie(a.ring, a.index, a.members) == std::tie(b.ring, b.index, b.members) &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const CommitEntry& x, const CommitEntry& y) { return same(x, y); });
}
inline bool same(const Probe& a, const Probe& b) { return a.ring == b.ring; }
inline bool same(const HoldCancel& a, const HoldCancel& b) { return a.ring == b.ring; }

inline bool same(const OrderedFrame& a, const OrderedFrame& b) {
  const auto rest = [](const OrderedFrame& f) { return std::tie(f.ring, f.service, f.change, f.piece_count, f.acknowledged, f.changes, f.number); };
  return rest(a) == rest(b) && std::equal(a.payload.begin(), a.payload.end(), b.payload.begin(), b.payload.end());
}
inline bool same(const Acknowledgement& a, const Acknowledgement& b) { return a.ring == b.ring && a.acknowledged == b.acknowledged; }
inline bool same(const State& a, const State& b) {
  return std::tie(a.ring, a.proposal, a.delivered) == std::tie(b.ring, b.proposal, b.delivered);
}

// What became of some bytes.
struct Verdict {
  Malformed why = Malformed::none;
  bool consistent = true;  // taken and said again the same, or refused and nothing left behind
};

template <typename Packet>
Verdict again_as(Bytes bytes, const Host& sender) {
  Malformed why = Malformed::none;
  const test::Again again = test::again_as<Packet>(
      bytes, [&](Bytes from, Packet& packet) { return (why = decode(from, packet)) == Malformed::none; },
      [&](const Packet& packet, std::vector<std::byte>& out) { return encode(sender, packet, out); },
      [](const Packet& a, const Packet& b) { return same(a, b); });
  return {why, again.consistent};
}

inline Verdict again(Bytes bytes) {
  Envelope envelope;
  const Malformed why = decode(bytes, envelope);
  if (why != Malformed::none) return {why, envelope.sender == Host{}};
  switch (envelope.type) {
    case PacketType::data: return again_as<Data>(bytes, envelope.sender);
    case PacketType::token: return again_as<Token>(bytes, envelope.sender);
    case PacketType::join: return again_as<Join>(bytes, envelope.sender);
    case PacketType::commit: return again_as<Commit>(bytes, envelope.sender);
    case PacketType::probe: return again_as<Probe>(bytes, envelope.sender);
    case PacketType::hold_cancel: return again_as<HoldCancel>(bytes, envelope.sender);
  }
  return {why, false};
}

// The pieces of a data packet that was taken, said again; false: they come out otherwise.
inline bool pieces_again(const Data& data) {
  Bytes rest = data.payload;
  std::vector<std::byte> out;
  for (uint32_t i = 0; i < data.piece_count; ++i) {
    Piece piece;
    if (!take_piece(rest, piece)) return false;
    append_piece(piece, out);
  }
  return rest.empty() && std::equal(out.begin(), out.end(), data.payload.begin(), data.payload.end());
}

}  // namespace evs::ordering::wire
