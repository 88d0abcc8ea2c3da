// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_places.cc - see window_places.h.
#include "bus/runtime/uplink/window_places.h"

#include <algorithm>

#include "bus/ordering/wire.h"

namespace evs::runtime::uplink::window {

using ordering::Bytes;
using ordering::Seq;
using shm::Code;
using shm::Status;

namespace {

constexpr uint64_t low(uint64_t word, uint32_t bits) { return word & ((uint64_t{1} << bits) - 1); }
constexpr bool is_of_lap(uint64_t word, uint64_t lap, uint32_t bits) { return low(word, bits) != 0 && word >> bits == low(lap, 64 - bits); }

}  // namespace

Status Places::adopt(const ordering::RingId& ring) {
  forgotten_ = forgotten_before_ = Seq{memory_.word(kForgotten)};
  told_in_order_ = told_in_order_before_ = Seq{memory_.word(kToldInOrder)};
  table_ = table_before_ = memory_.word(kTables) & 1;
  held_.assign(g_.places, {});
  before_.reserve(g_.places);
  scratch_.reserve(ordering::wire::kMaxPacketBytes);
  if (forgotten_.value > UINT64_MAX - g_.places) return memory_.damaged("what is forgotten is beyond any ring's end");
  for (uint64_t i = 1; i <= g_.places; ++i) {
    const Seq seq{forgotten_.value + i};
    const uint64_t word = memory_.word(g_.place_at(table_, g_.place_of(seq)));
    if (!is_of_lap(word, g_.lap_of(seq), kSlotBits)) continue;
    if (Status s = adopt_frame(seq, static_cast<uint32_t>(low(word, kSlotBits)) - 1, ring); !s.ok()) return s;
  }
  return {};
}

Status Places::adopt_frame(Seq seq, uint32_t first, const ordering::RingId& ring) {
  if (Status s = slots_.adopt(first); !s.ok()) return s;
  const auto size = static_cast<uint32_t>(memory_.word(g_.slot_at(first)));
  if (size > ordering::wire::kMaxPacketBytes) return memory_.damaged("a frame is larger than any packet");
  uint32_t last = first;
  if (Status s = slots_.adopt_rest(first, size, last); !s.ok()) return s;
  ordering::wire::Envelope envelope;
  ordering::Data data;
  const Bytes packet = slots_.bytes_of(first, size, scratch_);
  const bool whole = ordering::wire::decode(packet, envelope) == ordering::wire::Malformed::none &&
                     ordering::wire::decode(packet, data) == ordering::wire::Malformed::none;
  if (!whole || data.ring != ring || data.seq != seq) return memory_.damaged("frame " + std::to_string(seq.value) + " is damaged");
  const uint32_t pieces = data.body == ordering::Body::pieces ? data.piece_count : 0u;
  held_[g_.place_of(seq)] = {seq, first, size, envelope.sender.id, pieces};
  return {};
}

void Places::load(ordering::StoredState& out) const {
  out.forgotten = forgotten_;
  out.told_in_order = told_in_order_;
  std::vector<std::byte> scratch;
  for (uint64_t i = 1; i <= g_.places; ++i) {
    const Seq seq{forgotten_.value + i};
    if (const Held& held = held_[g_.place_of(seq)]; held.seq == seq) {
      const Bytes packet = slots_.bytes_of(held.slot, held.size, scratch);
      out.frames[seq].assign(packet.begin(), packet.end());
    }
    const uint32_t count = told_count(seq);
    for (uint32_t index = 0; index < count; ++index)
      if ((memory_.word(g_.told_word_at(g_.place_of(seq), index / 64)) >> index % 64 & 1) != 0) out.told.insert({seq, index});
  }
}

uint32_t Places::told_count(Seq seq) const {
  const uint64_t word = memory_.word(g_.place_at(table_, g_.place_of(seq)) + 8);
  if (!is_of_lap(word, g_.lap_of(seq), kToldBits)) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(low(word, kToldBits), ordering::kMaxPieces));
}

Status Places::no_place(Seq seq) const {
  return Status::fail(Code::internal, memory_.path() + " has no place for frame " + std::to_string(seq.value) + " behind " +
                                          std::to_string(forgotten_.value) + ": it was made for another store_frames than the protocol's");
}

// ---- Steps. ----

// The other table was that of a ring of before; it is empty again before it counts.
void Places::begin_ring(Seq forgotten) {
  for (const Held& held : held_)
    if (held.seq > forgotten_) slots_.give_back(held.slot, held.size);
  held_.swap(held_of_last_ring_);
  held_.assign(g_.places, {});
  table_ ^= 1;
  memory_.zero(g_.beginning_at(table_, 0), g_.table_bytes);
  forgotten_ = forgotten;
  told_in_order_ = Seq{};
  memory_.plan(kTables, table_);
  memory_.plan(kForgotten, forgotten_.value);
  memory_.plan(kToldInOrder, 0);
}

void Places::put(Seq seq, const Held& held) {
  Held& place = held_[g_.place_of(seq)];
  before_.emplace_back(g_.place_of(seq), place);
  place = held;
}

Status Places::store(Seq seq, const ordering::Frame& frame) {
  if (!is_ahead(seq)) return {};
  if (!has_place(seq) || !memory_.has_room(1 + kWordsBesideFrames)) return no_place(seq);
  const Held there = held_[g_.place_of(seq)];
  if (there.seq == seq) slots_.give_back(there.slot, there.size);
  const Bytes packet = frame.packet;
  Held held{seq, kNoSlot, static_cast<uint32_t>(packet.size()), frame.sender, frame.body == ordering::Body::pieces ? frame.piece_count : 0u};
  if (Status s = slots_.write_chain(packet, held.slot); !s.ok()) return s;
  put(seq, held);
  memory_.plan(g_.place_at(table_, g_.place_of(seq)), g_.lap_of(seq) << kSlotBits | (uint64_t{held.slot} + 1));
  return {};
}

Status Places::forget_through(Seq seq) {
  if (seq <= forgotten_) return {};
  const Seq last{std::min(seq.value, forgotten_.value + g_.places)};
  for (Seq s = next(forgotten_); s <= last; s = next(s)) {
    const Held held = held_[g_.place_of(s)];
    if (held.seq != s) continue;
    if (held.piece_count != 0) {
      const Bytes payload = slots_.bytes_of(held.slot, held.size, scratch_).subspan(ordering::wire::kDataHeaderBytes);
      if (Status status = beginnings_.keep(held.sender, held.piece_count, payload); !status.ok()) return status;
    }
    slots_.give_back(held.slot, held.size);
    put(s, {});
  }
  forgotten_ = seq;
  memory_.plan(kForgotten, seq.value);
  beginnings_.plan(table_);
  return {};
}

Status Places::take(const ordering::Window& window, const ordering::Output& out, const ordering::Protocol& protocol) {
  if (protocol.settings().message_limit != g_.shape.message_limit)
    return Status::fail(Code::bad_parameter, memory_.path() + " was made for another message_limit than the protocol's");
  for (size_t i = window.held_begin; i < window.held_end; ++i) {
    const ordering::Frame* frame = protocol.frame(window.ring, out.held[i]);
    if (frame == nullptr) continue;
    if (Status s = store(out.held[i], *frame); !s.ok()) return s;
  }
  return forget_through(window.forgotten);
}

Status Places::take(const ordering::Delivery& delivery) {
  const bool in_order = delivery.service >= ordering::Service::agreed && !delivery.transitional;
  if (in_order && delivery.seq > told_in_order_) {
    told_in_order_ = delivery.seq;
    memory_.plan(kToldInOrder, delivery.seq.value);
  }
  if (!is_ahead(delivery.seq)) return {};
  if (!has_place(delivery.seq) || delivery.index >= ordering::kMaxPieces) return no_place(delivery.seq);
  const uint64_t place = g_.place_of(delivery.seq), mine = delivery.index / 64, bit = uint64_t{1} << delivery.index % 64;
  const uint32_t count = told_count(delivery.seq);
  // Bits at and beyond `count` are those of an earlier lap.
  const uint64_t first = count / 64;
  for (uint64_t word = std::min(first, mine); word <= mine; ++word) {
    const uint64_t at = g_.told_word_at(place, word);
    uint64_t bits = word < first ? memory_.word(at) : word == first ? low(memory_.word(at), count % 64) : 0;
    if (word == mine) bits |= bit;
    memory_.plan(at, bits);
  }
  const uint64_t now = std::max<uint64_t>(count, delivery.index + uint64_t{1});
  memory_.plan(g_.place_at(table_, place) + 8, g_.lap_of(delivery.seq) << kToldBits | now);
  return {};
}

void Places::settle() {
  before_.clear();
  held_of_last_ring_.clear();
  table_before_ = table_;
  forgotten_before_ = forgotten_;
  told_in_order_before_ = told_in_order_;
}

void Places::take_back() {
  if (!held_of_last_ring_.empty()) held_.swap(held_of_last_ring_);
  held_of_last_ring_.clear();
  for (size_t i = before_.size(); i-- != 0;) held_[before_[i].first] = before_[i].second;
  before_.clear();
  table_ = table_before_;
  forgotten_ = forgotten_before_;
  told_in_order_ = told_in_order_before_;
}

}  // namespace evs::runtime::uplink::window
