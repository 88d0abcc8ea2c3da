// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/piece_writer.h - one piece, header and bytes, to where it shall stand; inline, because a frame of small messages holds many.
//
//   whole      0 length u32 | 4 flags u8 = last | 5 zero[3] | 8 the bytes
//   fragment   0 length u32 | 4 flags u8        | 5 zero[3] | 8 message u64 | 16 index u32 | 20 total u32 | 24 the bytes
#pragma once

#include "bus/ordering/little_endian.h"
#include "bus/ordering/wire_layout.h"

namespace evs::ordering::wire {

inline size_t piece_bytes(const Piece& piece) { return (piece.fragment ? kFragmentBytes : kPieceBytes) + piece.bytes.size(); }

// Length and flags, and with the flags the reserved bytes.
inline void put_front(std::byte* at, size_t length, uint32_t flags) {
  store_little(at, static_cast<uint32_t>(length));
  store_little(at + kPieceFlagsAt, flags);
}

inline std::byte* put_bytes(Bytes bytes, std::byte* at) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

// There must be room for piece_bytes(). These answer the place behind them.
inline std::byte* put_whole(Bytes message, std::byte* at) {
  put_front(at, message.size(), kPieceLast);
  return put_bytes(message, at + kPieceBytes);
}

inline std::byte* put_fragment_front(const Piece& piece, size_t length, std::byte* at) {  // piece.bytes is not looked at
  put_front(at, length, kPieceFragment | (piece.last ? kPieceLast : 0));
  store_little(at + kPieceMessageAt, piece.message);
  store_little(at + kPieceIndexAt, piece.index);
  store_little(at + kPieceTotalAt, piece.total_bytes);
  return at + kFragmentBytes;
}

inline std::byte* put_piece(const Piece& piece, std::byte* at) {
  if (!piece.fragment) return put_whole(piece.bytes, at);
  return put_bytes(piece.bytes, put_fragment_front(piece, piece.bytes.size(), at));
}

}  // namespace evs::ordering::wire
