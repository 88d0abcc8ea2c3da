// SPDX-License-Identifier: BSD-3-Clause
// payload.h - a message that certifies itself.
//
// It says who wrote it, in which stream, as which one of that stream; the rest of its bytes follow from that by a formula, and the seal
// covers all of it. So whoever gets it, and at whatever place, can tell whether these are bytes that one send call handed over, whole.
// An empty message certifies nothing but its own emptiness: those are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/support/dice.h"

namespace evs::torture {

enum class Mark : uint8_t {
  data = 0,
  join_begin = 1,   // the writer is about to call evs_join: `group` of its reader `about`
  join_done = 2,    // the call has returned
  leave_begin = 3,
  leave_done = 4,
  stopped = 5,      // its senders have ended
  final = 6,        // everybody's have: who gets this has got everything
};

struct Proof {
  uint32_t writer;   // the incarnation of a process: no two have the same
  uint16_t thread;
  uint8_t stream;    // 0: to the group that everybody joined; k: to group k alone. Each has its own count
  Mark mark;
  uint64_t count;
  uint32_t size;     // of the whole message
  uint32_t groups;   // bit k: sent to group k
  uint32_t number;   // of a final mark
  uint16_t group;    // of a join or leave mark
  uint16_t about;
  uint64_t seal;
};
static_assert(sizeof(Proof) == 40);

using test::Dice;
using test::mix;

inline uint64_t seal_of(const Proof& proof) {
  Proof copy = proof;
  copy.seal = 0x7072616973650a0aull;
  uint64_t words[sizeof copy / 8], seal = 0;
  std::memcpy(words, &copy, sizeof copy);
  for (const uint64_t word : words) seal = mix(seal ^ word) + 0x9e3779b97f4a7c15ull;
  return seal;
}

// The byte at `offset` behind the proof: eight at a time from the seal and the offset.
inline uint64_t filling(uint64_t seal, size_t word) { return mix(seal + word); }

// Writes proof.size bytes, at least sizeof(Proof).
inline void write_message(Proof proof, unsigned char* to) {
  proof.seal = seal_of(proof);
  std::memcpy(to, &proof, sizeof proof);
  const size_t rest = proof.size - sizeof proof;
  for (size_t at = 0; at < rest; at += 8) {
    const uint64_t word = filling(proof.seal, at / 8);
    std::memcpy(to + sizeof proof + at, &word, rest - at < 8 ? rest - at : 8);
  }
}

// Whole, and as it was written?
inline bool read_message(const void* data, size_t size, Proof& proof) {
  if (size < sizeof proof) return false;
  std::memcpy(&proof, data, sizeof proof);
  if (proof.size != size || proof.seal != seal_of(proof)) return false;
  const auto* bytes = static_cast<const unsigned char*>(data) + sizeof proof;
  const size_t rest = size - sizeof proof;
  for (size_t at = 0; at < rest; at += 8) {
    const uint64_t word = filling(proof.seal, at / 8);
    if (std::memcmp(bytes + at, &word, rest - at < 8 ? rest - at : 8) != 0) return false;
  }
  return true;
}

}  // namespace evs::torture
