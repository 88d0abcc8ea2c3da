// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/stored.cc - see stored.h.
#include "bus/ordering/stored.h"

#include <algorithm>

namespace evs::ordering {
namespace {

// One that does not follow on what is kept is of a message that nobody can complete: nothing of it is kept.
void keep(StoredState& state, HostId sender, const wire::Piece& piece, uint32_t limit) {
  Partial& kept = state.beginnings[sender];
  if (Partial::may_begin(piece, limit)) kept.begin(piece, {});
  if (piece.last || !kept.follows(piece)) {
    state.beginnings.erase(sender);
    return;
  }
  kept.append(piece);
}

// A frame is forgotten: does a message begin in it, or go on, whose end is to come? Then its bytes are needed still.
void keep_beginning(StoredState& state, Bytes packet, uint32_t limit) {
  wire::Envelope envelope;
  Data data;
  if (wire::decode(packet, envelope) != wire::Malformed::none || wire::decode(packet, data) != wire::Malformed::none) return;
  if (data.body != Body::pieces || with_id(state.members, envelope.sender.id) == nullptr) return;
  wire::Piece piece;
  for (uint32_t i = 0; i < data.piece_count && wire::take_piece(data.payload, piece); ++i)
    if (piece.fragment) keep(state, envelope.sender.id, piece, limit);
}

void forget_through(StoredState& state, Seq seq, uint32_t limit) {
  if (seq <= state.forgotten) return;
  state.forgotten = seq;
  const auto end = state.frames.upper_bound(seq);
  for (auto frame = state.frames.begin(); frame != end; ++frame) keep_beginning(state, frame->second, limit);
  state.frames.erase(state.frames.begin(), end);
  state.told.erase(state.told.begin(), state.told.upper_bound({seq, UINT32_MAX}));
}

void apply(StoredState& state, const Window& window, const Output& out, const Protocol& protocol) {
  if (window.ring != state.ring) return;
  for (size_t i = window.held_begin; i < window.held_end; ++i) {
    const Frame* frame = protocol.frame(window.ring, out.held[i]);
    if (frame == nullptr) continue;
    const Bytes packet = frame->packet;
    state.frames[out.held[i]].assign(packet.begin(), packet.end());
  }
  const auto stamped = out.stamped.begin();
  state.transmitted.insert(state.transmitted.end(), stamped + static_cast<ptrdiff_t>(window.stamped_begin),
                           stamped + static_cast<ptrdiff_t>(window.stamped_end));
  forget_through(state, window.forgotten, protocol.settings().message_limit);
}

void apply(StoredState& state, const Configuration& configuration) {
  if (!configuration.regular) {
    state.transitional_told = true;
    return;
  }
  // Recovery's frames are nobody's message: a ring that was recovered into begins behind them.
  const bool ended = state.ending && state.ending->next == configuration.ring;
  state.forgotten = ended ? state.ending->begins_behind : Seq{};
  state.ring = configuration.ring;
  state.members = configuration.members;
  state.obligations.clear();
  state.frames.clear();
  state.beginnings.clear();
  state.ending.reset();
  state.transitional_told = false;
  state.told.clear();
  state.told_in_order = Seq{};
}

void apply(StoredState& state, const Delivery& delivery) {
  if (delivery.ring != state.ring) return;
  state.told.insert({delivery.seq, delivery.index});
  if (delivery.service >= Service::agreed && !delivery.transitional) state.told_in_order = std::max(state.told_in_order, delivery.seq);
}

}  // namespace

void apply(StoredState& state, const Effect& effect, const Output& out, const Protocol& protocol) {
  switch (effect.kind) {
    case Effect::Kind::store:
      switch (effect.stored.kind) {
        case Stored::Kind::sequence: state.ring_sequence = std::max(state.ring_sequence, effect.stored.number); break;
        case Stored::Kind::life:
          state.lives.push_back(effect.stored.number);
          if (state.lives.size() > kMaxSuperseded) state.lives.erase(state.lives.begin());  // a join names no more
          break;
        case Stored::Kind::window: apply(state, out.windows[effect.begin], out, protocol); break;
        case Stored::Kind::obligations: state.obligations = out.obligations[effect.begin]; break;
        case Stored::Kind::ending: state.ending = out.endings[effect.begin]; break;
      }
      break;
    case Effect::Kind::deliver: apply(state, out.deliveries[effect.begin]); break;
    case Effect::Kind::configuration: apply(state, out.configurations[effect.begin]); break;
    case Effect::Kind::stamped: {
      const uint64_t message = out.stamped[effect.begin].message;
      std::erase_if(state.transmitted, [&](const Stamped& stamped) { return stamped.message == message; });
      break;
    }
    case Effect::Kind::send_to_all:
    case Effect::Kind::send_to:
    case Effect::Kind::paused:
    case Effect::Kind::duplicate_host:
    case Effect::Kind::flush_receive:
      break;
  }
}

}  // namespace evs::ordering
