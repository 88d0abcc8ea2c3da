// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/pieces.cc - messages and fragments, one behind the other in a data packet's payload.
#include "bus/ordering/piece_reader.h"
#include "bus/ordering/piece_writer.h"

namespace evs::ordering::wire {

void append_piece(const Piece& piece, std::vector<std::byte>& payload) {
  const size_t before = payload.size();
  payload.resize(before + piece_bytes(piece));
  put_piece(piece, payload.data() + before);
}

bool take_piece(Bytes& payload, Piece& piece) {
  const size_t bytes = piece_at(payload, piece);
  if (bytes == 0) piece = Piece{};
  payload = payload.subspan(bytes);
  return bytes != 0;
}

}  // namespace evs::ordering::wire
