// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/piece_reader.h - one piece from the front of a payload, inline: it is looked at once when its packet is judged and once when it is
// taken, and a frame of small messages holds many.
#pragma once

#include "bus/ordering/little_endian.h"
#include "bus/ordering/wire_layout.h"

namespace evs::ordering::wire {

// Every fragment holds a byte at least, so that those before it and, unless it is the last, those behind it have room in the whole.
inline bool fits_its_message(const Piece& fragment) {
  const size_t length = fragment.bytes.size();
  if (length == 0 || length > fragment.total_bytes) return false;
  const size_t others = fragment.total_bytes - length;
  return fragment.last ? fragment.index <= others : fragment.index < others;
}

// The bytes of the whole message that stands in front; without any, not even a place: it is a fragment, or malformed, and piece_at() tells
// which. For frames of many small messages: most are whole, and a struct that would say so costs more than they do.
inline Bytes whole_at(Bytes payload) {
  if (payload.size() < kPieceBytes || load_little<uint32_t>(payload.data() + kPieceFlagsAt) != kPieceLast) return {};
  const size_t length = load_little<uint32_t>(payload.data());
  return length <= payload.size() - kPieceBytes ? payload.subspan(kPieceBytes, length) : Bytes{};
}

// How many bytes of the payload the piece takes; 0: malformed, and the piece is not to be looked at. One word holds the flags and
// the reserved bytes behind them. A whole message has nothing behind it, so its flags are always the same.
inline size_t piece_at(Bytes payload, Piece& piece) {
  if (payload.size() < kPieceBytes) return 0;
  const size_t length = load_little<uint32_t>(payload.data());
  const auto flags = load_little<uint32_t>(payload.data() + kPieceFlagsAt);
  if (flags == kPieceLast) {
    if (length > payload.size() - kPieceBytes) return 0;
    piece = {.bytes = payload.subspan(kPieceBytes, length)};
    return kPieceBytes + length;
  }
  if ((flags & ~uint32_t{kPieceLast}) != kPieceFragment) return 0;
  if (payload.size() < kFragmentBytes || length > payload.size() - kFragmentBytes) return 0;
  piece = {.bytes = payload.subspan(kFragmentBytes, length),
           .fragment = true,
           .message = load_little<uint64_t>(payload.data() + kPieceMessageAt),
           .index = load_little<uint32_t>(payload.data() + kPieceIndexAt),
           .total_bytes = load_little<uint32_t>(payload.data() + kPieceTotalAt),
           .last = (flags & kPieceLast) != 0};
  return fits_its_message(piece) ? kFragmentBytes + length : 0;
}

// As many pieces as it says, and nothing behind them.
inline Malformed walk_pieces(Bytes payload, uint32_t count) {
  Piece piece;
  for (uint32_t i = 0; i < count; ++i) {
    const size_t bytes = piece_at(payload, piece);
    if (bytes == 0) return Malformed::length;
    payload = payload.subspan(bytes);
  }
  return payload.empty() ? Malformed::none : Malformed::length;
}

}  // namespace evs::ordering::wire
