// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/partial.h - a message of which the beginning is there.
//
// Which fragments may follow on each other is one rule for whoever puts messages together (assembly.h) and for whoever keeps a beginning for a
// successor (stored.h): in their order, of one message, and never more bytes than the first one said, which are no more than a message may have. So what
// a sender can make anybody keep is one message of that size, whatever it sends.
#pragma once

#include "bus/ordering/wire.h"

namespace evs::ordering {

struct Partial {
  uint64_t message = 0;
  uint32_t total_bytes = 0;
  uint32_t next_index = 0;
  bool under_way = false;
  std::vector<std::byte> bytes;

  static bool may_begin(const wire::Piece& piece, uint32_t limit) { return piece.index == 0 && piece.total_bytes <= limit; }
  // `buffer` is empty; its memory is used again.
  void begin(const wire::Piece& piece, std::vector<std::byte> buffer) {
    message = piece.message;
    total_bytes = piece.total_bytes;
    next_index = 0;
    under_way = true;
    bytes = std::move(buffer);
  }
  // What the first one said was compared with the limit; a later one that says more would grow past it.
  bool follows(const wire::Piece& piece) const {
    const size_t size = bytes.size() + piece.bytes.size();
    return under_way && message == piece.message && next_index == piece.index && total_bytes == piece.total_bytes && size <= total_bytes &&
           (!piece.last || size == total_bytes);
  }
  void append(const wire::Piece& piece) {
    bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
    ++next_index;
  }
};

}  // namespace evs::ordering
