// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/assembly.cc - see assembly.h.
#include "bus/ordering/assembly.h"

#include <utility>

namespace evs::ordering {
namespace {

void hand_on(const RingId& ring, const Frame& frame, uint32_t index, const Host& sender, bool transitional, Bytes bytes, Output& out) {
  out.deliver({ring, frame.seq, index, transitional, sender, frame.service, bytes});
}

}  // namespace

bool Assembly::add(Partial& partial, const wire::Piece& piece) {
  if (piece.index == 0) {
    if (piece.total_bytes > message_limit_) return false;
    partial.message = piece.message;
    partial.next_index = 0;
    partial.bytes = std::make_unique<std::vector<std::byte>>();
    partial.bytes->reserve(piece.total_bytes);
  }
  if (!partial.bytes || partial.message != piece.message || partial.next_index != piece.index) return false;
  if (partial.bytes->size() + piece.bytes.size() > piece.total_bytes) return false;
  partial.bytes->insert(partial.bytes->end(), piece.bytes.begin(), piece.bytes.end());
  ++partial.next_index;
  return !piece.last || partial.bytes->size() == piece.total_bytes;
}

void Assembly::deliver(const RingId& ring, const Frame& frame, const Host& sender, bool transitional, Output& out) {
  if (frame.body != Body::pieces) return;  // said for a ring of before: recovery.h
  Bytes payload = frame.payload();
  wire::Piece piece;
  for (uint32_t index = 0; index < frame.piece_count && wire::take_piece(payload, piece); ++index) {
    if (!piece.fragment) {
      hand_on(ring, frame, index, sender, transitional, piece.bytes, out);
      continue;
    }
    Partial& partial = partial_[sender.id];
    if (!add(partial, piece)) {
      partial.bytes.reset();
      ++broken_;
    } else if (piece.last) {
      hand_on(ring, frame, index, sender, transitional, *partial.bytes, out);
      finished_.push_back(std::move(partial.bytes));
    }
  }
}

void Assembly::forget_partial() {
  partial_.clear();
}

}  // namespace evs::ordering
