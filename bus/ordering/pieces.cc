// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/pieces.cc - messages and fragments, one behind the other in a data packet's payload.
//
//   whole      0 length u32 | 4 flags u8 = last | 5 zero[3] | 8 the bytes
//   fragment   0 length u32 | 4 flags u8        | 5 zero[3] | 8 message u64 | 16 index u32 | 20 total u32 | 24 the bytes
#include <array>

#include "bus/ordering/little_endian.h"
#include "bus/ordering/wire_layout.h"

namespace evs::ordering::wire {
namespace {

constexpr size_t kFlagsAt = 4, kMessageAt = 8, kIndexAt = 16, kTotalAt = 20;

// Every fragment holds a byte at least, so that those before it and, unless it is the last, those behind it have room in the whole.
bool fits_its_message(const Piece& piece) {
  const size_t length = piece.bytes.size();
  if (length == 0 || length > piece.total_bytes) return false;
  const size_t others = piece.total_bytes - length;
  return piece.last ? piece.index <= others : piece.index < others;
}

// false: flags or reserved bytes that nobody of this version writes.
bool read_flags(uint32_t word, Piece& piece) {
  if ((word & ~uint32_t{kPieceFragment | kPieceLast}) != 0) return false;
  piece.fragment = (word & kPieceFragment) != 0;
  piece.last = (word & kPieceLast) != 0;
  return piece.fragment || piece.last;  // a whole message has nothing behind it
}

}  // namespace

void append_piece(const Piece& piece, std::vector<std::byte>& payload) {
  std::array<std::byte, kFragmentBytes> head{};
  store_little(head.data(), static_cast<uint32_t>(piece.bytes.size()));
  uint8_t flags = kPieceLast;
  if (piece.fragment) {
    flags = kPieceFragment | (piece.last ? kPieceLast : 0);
    store_little(head.data() + kMessageAt, piece.message);
    store_little(head.data() + kIndexAt, piece.index);
    store_little(head.data() + kTotalAt, piece.total_bytes);
  }
  store_little(head.data() + kFlagsAt, flags);
  payload.insert(payload.end(), head.begin(), head.begin() + (piece.fragment ? kFragmentBytes : kPieceBytes));
  payload.insert(payload.end(), piece.bytes.begin(), piece.bytes.end());
}

bool take_piece(Bytes& payload, Piece& piece) {
  piece = Piece{};
  if (payload.size() < kPieceBytes) return false;
  const size_t length = load_little<uint32_t>(payload.data());
  Piece found;
  if (!read_flags(load_little<uint32_t>(payload.data() + kFlagsAt), found)) return false;
  const size_t head = found.fragment ? kFragmentBytes : kPieceBytes;
  if (payload.size() < head || length > payload.size() - head) return false;
  found.bytes = payload.subspan(head, length);
  if (found.fragment) {
    found.message = load_little<uint64_t>(payload.data() + kMessageAt);
    found.index = load_little<uint32_t>(payload.data() + kIndexAt);
    found.total_bytes = load_little<uint32_t>(payload.data() + kTotalAt);
    if (!fits_its_message(found)) return false;
  }
  payload = payload.subspan(head + length);
  piece = found;
  return true;
}

}  // namespace evs::ordering::wire
