// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_dice.h - packets at random, all of them in good form, with a liking for the ends of each range.
#pragma once

#include <algorithm>
#include <vector>

#include "bus/ordering/wire.h"
#include "tests/support/dice.h"

namespace evs::ordering::wire {

using Packet = std::vector<std::byte>;

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  uint64_t below(uint64_t n) { return random_.below(n); }
  bool coin() { return below(2) == 1; }
  uint64_t between(uint64_t least, uint64_t most) {
    const uint64_t width = most - least;
    switch (below(6)) {
      case 0: return least;
      case 1: return most;
      case 2: return least + std::min(width, below(4));
      case 3: return most - std::min(width, below(4));
      default: return width == UINT64_MAX ? random_.next() : least + below(width + 1);
    }
  }
  uint64_t number() { return between(0, UINT64_MAX); }

  Host host() { return {static_cast<HostId>(between(1, kMaxHostId)), number()}; }
  Hosts hosts(size_t least, size_t most) {
    Hosts some(between(least, most));
    for (Host& each : some) each = host();
    return tidy(some, least);
  }
  RingId ring(uint64_t least_sequence = 1) {
    const Host representative = host();
    return {between(least_sequence, kMaxSequence), representative.id, representative.nonce};
  }

  // Pieces into `payload`; how many.
  uint16_t pieces(Packet& payload, size_t most_bytes) {
    uint16_t count = 0;
    for (uint64_t more = below(6); more > 0; --more) {
      Packet bytes(below(4) == 0 ? below(400) : below(12));
      for (std::byte& each : bytes) each = static_cast<std::byte>(random_.next());
      Piece piece{.bytes = bytes};
      if (!bytes.empty() && coin()) fragment(piece);
      if (payload.size() + kFragmentBytes + bytes.size() > most_bytes) break;
      append_piece(piece, payload);
      ++count;
    }
    return count;
  }

  // Points into `payload`.
  Data data(Packet& payload) {
    Data drawn = head();
    drawn.piece_count = pieces(payload, kMaxPacketBytes - kDataHeaderBytes);
    drawn.payload = payload;
    return drawn;
  }
  Data recovered(Packet& payload) {
    Packet inside;
    const Data before = data(inside);
    encode(host(), before, payload);
    Data drawn = head();
    drawn.body = Body::recovered;
    drawn.payload = payload;
    drawn.ring.sequence = before.ring.sequence + 1 + below(3);
    return drawn;
  }
  Token token() {
    Token drawn;
    drawn.ring = ring();
    drawn.visit = number();
    drawn.high.value = number();
    drawn.received_by_all.value = between(0, drawn.high.value);
    drawn.lowered_by = coin() ? kNoHost : host().id;
    drawn.spent = static_cast<uint32_t>(number());
    drawn.backlog = static_cast<uint32_t>(number());
    drawn.recovering = coin();
    drawn.stage = static_cast<Stage>(below(5));
    if (drawn.stage == Stage::joining || drawn.stage == Stage::rest) drawn.stage_by = host().id;
    drawn.change.value = between(0, drawn.high.value);
    drawn.delivered_by_all.value = between(0, drawn.high.value);
    drawn.delayed_by = coin() ? kNoHost : host().id;
    drawn.held_by = coin() ? kNoHost : host().id;
    drawn.wanted = ranges(drawn.high.value);
    return drawn;
  }
  Join join() { return {between(0, kMaxSequence), coin(), hosts(0, kMaxHosts), hosts(0, coin() ? kMaxHosts : 3), nonces()}; }
  std::vector<uint64_t> nonces() {
    std::vector<uint64_t> some(below(kMaxSuperseded + 1));
    for (uint64_t& each : some) each = number();
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    return some;
  }
  Commit commit() {
    Commit drawn;
    drawn.members = hosts(1, coin() ? kMaxHosts : 5);
    const Host representative = drawn.members[below(drawn.members.size())];
    drawn.ring = {between(1, kMaxSequence), representative.id, representative.nonce};
    drawn.index = static_cast<uint32_t>(between(0, 2 * drawn.members.size()));
    const Hosts known = hosts(0, coin() ? kMaxObliged : 40);
    for (size_t i = 0; i < drawn.members.size(); ++i) drawn.entries.push_back(entry(known));
    return drawn;
  }

 private:
  static Hosts tidy(Hosts some, size_t least) {
    std::sort(some.begin(), some.end());
    auto end = std::unique(some.begin(), some.end());
    if (static_cast<size_t>(end - some.begin()) >= least) some.erase(end, some.end());
    return some;
  }

  Data head() {
    Data drawn;
    drawn.ring = ring();
    drawn.ring.sequence = std::min(drawn.ring.sequence, kMaxSequence - 3);
    drawn.seq.value = between(1, UINT64_MAX);
    drawn.previous.value = between(0, drawn.seq.value - 1);
    drawn.round = number();
    drawn.service = static_cast<Service>(below(4));
    return drawn;
  }

  void fragment(Piece& piece) {
    const auto length = static_cast<uint32_t>(piece.bytes.size());
    piece.fragment = true;
    piece.last = coin();
    piece.message = number();
    piece.total_bytes = static_cast<uint32_t>(between(length + 1, UINT32_MAX));
    piece.index = static_cast<uint32_t>(between(0, piece.total_bytes - length - 1));
  }

  std::vector<SeqRange> ranges(uint64_t high) {
    std::vector<SeqRange> drawn;
    uint64_t from = 1;
    for (uint64_t more = between(0, kMaxWanted); more > 0 && from <= high; --more) {
      const uint64_t first = between(from, std::min(high, from + 1000 < from ? high : from + 1000));
      const uint64_t most = std::min<uint64_t>(high - first, coin() ? UINT32_MAX - 1 : 5);
      drawn.push_back({{first}, static_cast<uint32_t>(between(0, most) + 1)});
      if (drawn.back().count >= high - first + 1) break;
      from = first + drawn.back().count;
    }
    return drawn;
  }

  CommitEntry entry(const Hosts& known) {
    CommitEntry drawn;
    if (below(3) == 0) return drawn;
    drawn.filled = true;
    if (below(4) != 0) {
      drawn.old_ring = ring();
      drawn.high.value = number();
      drawn.received_up_to.value = between(0, drawn.high.value);
      drawn.delivered.value = between(0, drawn.high.value);
    }
    for (const Host& each : known)
      if (below(3) == 0 && drawn.obligations.size() < kMaxHosts) drawn.obligations.push_back(each);
    return drawn;
  }

  test::Dice random_;
};

}  // namespace evs::ordering::wire
