// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/pieces.cc - messages and fragments, one behind the other in a data packet's payload.
//
//   whole      0 length u32 | 4 flags u8 = last | 5 zero[3] | 8 the bytes
//   fragment   0 length u32 | 4 flags u8        | 5 zero[3] | 8 message u64 | 16 index u32 | 20 total u32 | 24 the bytes
#include <array>

#include "bus/ordering/piece_reader.h"

namespace evs::ordering::wire {

namespace {

// Two steps of insert() are cheaper than one resize(), which fills with zeroes first; so is a header whose size is a constant.
template <size_t kBytes>
void append(const std::array<std::byte, kBytes>& head, Bytes bytes, std::vector<std::byte>& payload) {
  payload.insert(payload.end(), head.begin(), head.end());
  payload.insert(payload.end(), bytes.begin(), bytes.end());
}

// Length and flags, and with the flags the reserved bytes.
void store_front(std::byte* head, const Piece& piece, uint32_t flags) {
  store_little(head, static_cast<uint32_t>(piece.bytes.size()));
  store_little(head + kPieceFlagsAt, flags);
}

}  // namespace

void append_piece(const Piece& piece, std::vector<std::byte>& payload) {
  if (!piece.fragment) {
    std::array<std::byte, kPieceBytes> head;
    store_front(head.data(), piece, kPieceLast);
    return append(head, piece.bytes, payload);
  }
  std::array<std::byte, kFragmentBytes> head;
  store_front(head.data(), piece, kPieceFragment | (piece.last ? kPieceLast : 0));
  store_little(head.data() + kPieceMessageAt, piece.message);
  store_little(head.data() + kPieceIndexAt, piece.index);
  store_little(head.data() + kPieceTotalAt, piece.total_bytes);
  append(head, piece.bytes, payload);
}

bool take_piece(Bytes& payload, Piece& piece) {
  const size_t bytes = piece_at(payload, piece);
  if (bytes == 0) piece = Piece{};
  payload = payload.subspan(bytes);
  return bytes != 0;
}

}  // namespace evs::ordering::wire
