// SPDX-License-Identifier: BSD-3-Clause
// tests/support/content_hash.h - what makes a message one of a kind, for the traces of the simulators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace evs::test {

// FNV-1a, never 0. 0: not taken, because so few bytes are often the same as another message's (docs/trace-format.md).
inline uint64_t content_hash(std::span<const std::byte> bytes) {
  if (bytes.size() < 8) return 0;
  uint64_t h = 0xcbf29ce484222325ull;
  for (const std::byte b : bytes) h = (h ^ static_cast<uint64_t>(b)) * 0x100000001b3ull;
  return h | 1;
}

}  // namespace evs::test
