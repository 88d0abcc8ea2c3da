// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/byte_writer.h - makes room at the end of a vector, or takes room that is there, and fills it from front to back.
//
// Room in a vector is asked for once and is zero at first, so that reserved bytes need no more than a step over them. What is written must be
// exactly the room: a debug build says so.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>
#include <vector>

#include "bus/ordering/little_endian.h"

namespace evs::ordering {

class ByteWriter {
 public:
  ByteWriter(std::vector<std::byte>& out, size_t bytes) : left_(bytes) {
    const size_t before = out.size();
    out.resize(before + bytes);
    at_ = out.data() + before;
  }
  // Room that is there, and whose reserved bytes are zero if it has any.
  explicit ByteWriter(std::span<std::byte> room) : at_(room.data()), left_(room.size()) {}
  ~ByteWriter() { assert(left_ == 0); }
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;

  template <typename T>
  void put(T value) {
    store_little(at_, value);
    advance(sizeof(T));
  }
  template <typename T>
  void put_zero() {
    advance(sizeof(T));
  }

 private:
  void advance(size_t bytes) {
    assert(bytes <= left_);
    at_ += bytes;
    left_ -= bytes;
  }

  std::byte* at_ = nullptr;
  size_t left_;
};

}  // namespace evs::ordering
