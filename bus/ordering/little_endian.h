// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/little_endian.h - numbers to bytes and back, the same on every machine and at any alignment.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace evs::ordering {

// The other order of bytes; std::byteswap is C++23.
template <typename T>
constexpr T little_endian(T value) {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (std::endian::native == std::endian::little || sizeof(T) == 1) {
    return value;
  } else {
    T swapped = 0;
    for (size_t i = 0; i < sizeof(T); ++i) swapped |= ((value >> (8 * i)) & 0xff) << (8 * (sizeof(T) - 1 - i));
    return swapped;
  }
}

template <typename T>
T load_little(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return little_endian(value);
}

template <typename T>
void store_little(std::byte* at, T value) {
  value = little_endian(value);
  std::memcpy(at, &value, sizeof(T));
}

}  // namespace evs::ordering
