// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/byte_reader.h - walks over the bytes of a packet and never past their end.
//
// The decoders compare a packet's size with what its counts ask for before they read, so that running out is no case of theirs; the
// reader looks all the same, because the two CVEs of the field were each one forgotten look. Once something was missing, or a reserved byte
// was not zero, ok() is false for good and every number is 0.
#pragma once

#include <cstdint>

#include "bus/ordering/little_endian.h"
#include "bus/ordering/packets.h"

namespace evs::ordering {

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  template <typename T>
  T take() {
    if (rest_.size() < sizeof(T)) return static_cast<T>(fail());
    const T value = load_little<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }

  // Reserved bytes: what a later version puts there must not be taken for nothing by this one.
  template <typename T>
  void take_zero() {
    if (take<T>() != 0) fail();
  }

  Bytes rest() const { return rest_; }
  bool ok() const { return ok_; }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace evs::ordering
