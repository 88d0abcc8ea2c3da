// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/group_key.h - 32 bytes, compared whole.
//
// A key is four words: equal when the words are, hashed by multiplying them together. The hash is for our own tables, not
// a defence: who can choose groups on a bus can also flood it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "evs/evs.h"

namespace evs::groups {

using GroupKey = evs_group;

struct KeyWords {
  uint64_t word[4];
};

inline KeyWords words_of(const GroupKey& key) {
  KeyWords words;
  static_assert(sizeof words == sizeof key);
  std::memcpy(&words, &key, sizeof words);
  return words;
}

inline bool equal(const KeyWords& a, const KeyWords& b) {
  return ((a.word[0] ^ b.word[0]) | (a.word[1] ^ b.word[1]) | (a.word[2] ^ b.word[2]) | (a.word[3] ^ b.word[3])) == 0;
}
// The key where it lies: a copy of it would go over the stack, once for every frame of a reader.
inline bool equal(const GroupKey& key, const KeyWords& b) {
  const auto word = [&key](size_t i) {
    uint64_t w;
    std::memcpy(&w, key.key + i * sizeof w, sizeof w);
    return w;
  };
  return ((word(0) ^ b.word[0]) | (word(1) ^ b.word[1]) | (word(2) ^ b.word[2]) | (word(3) ^ b.word[3])) == 0;
}
inline bool equal(const GroupKey& a, const GroupKey& b) { return equal(words_of(a), words_of(b)); }

inline uint64_t hash_of(const GroupKey& key) {
  const KeyWords w = words_of(key);
  uint64_t h = w.word[0] * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 32) ^ w.word[1]) * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 29) ^ w.word[2]) * 0x94d049bb133111ebu;
  h = (h ^ (h >> 31) ^ w.word[3]) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 32);
}

struct GroupHash {
  size_t operator()(const GroupKey& key) const { return static_cast<size_t>(hash_of(key)); }
};
struct GroupEqual {
  bool operator()(const GroupKey& a, const GroupKey& b) const { return equal(a, b); }
};

}  // namespace evs::groups
