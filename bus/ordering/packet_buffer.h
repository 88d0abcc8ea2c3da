// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/packet_buffer.h - the bytes of one packet, in memory that is used again and again.
//
// What a vector would do, less the zeroes that it writes before what is meant, and the looks at its capacity between one piece and the next:
// whoever fills it says once how much may come, writes there, and says how much it became. It grows and never shrinks.
#pragma once

#include <cstring>
#include <memory>

#include "bus/ordering/packets.h"

namespace evs::ordering {

class PacketBuffer {
 public:
  operator Bytes() const { return {bytes_.get(), size_}; }
  std::span<std::byte> whole() { return {bytes_.get(), size_}; }
  size_t size() const { return size_; }

  // Room for so many bytes, to be written from the first on; what was in it is gone, and it is empty.
  std::byte* begin(size_t most) {
    size_ = 0;
    if (most > capacity_) {
      bytes_.reset(new std::byte[most]);  // not make_unique: that writes zeroes
      capacity_ = most;
    }
    return bytes_.get();
  }
  void end(size_t bytes) { size_ = bytes <= capacity_ ? bytes : capacity_; }

  void assign(Bytes bytes) {
    std::byte* at = begin(bytes.size());
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    size_ = bytes.size();
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace evs::ordering
