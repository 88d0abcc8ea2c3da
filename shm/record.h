// SPDX-License-Identifier: BSD-3-Clause
// shm/record.h - a record as it stands at a position: parsing with bounds, and the hash behind the bells' filters.
#pragma once

#include <cstring>

#include "shm/segment.h"

namespace evs::shm {

// What stands committed at a position. Pointers point into the ring: they may be torn when this process is being expelled, and
// are valid at all only while the ring is not reused behind the position.
struct RecordView {
  Kind kind = Kind::pad;
  uint64_t next = 0;   // where the next record begins
  uint32_t size = 0;
  uint32_t group_count = 0;
  uint16_t slot = 0;
  uint8_t guarantee = 0;
  uint32_t generation = 0;
  uint64_t sent_ns = 0;
  const unsigned char* groups = nullptr;
  const unsigned char* data = nullptr;
};

// A record header's bytes behind its commit word, as three words. Moved one by one: gathered in a vector register they would take the way
// over the stack, where a load wider than the stores before it waits for them (a third of an append).
struct HeaderWords {
  uint64_t word[3];

  HeaderWords(uint32_t size, uint32_t slot, uint32_t guarantee, uint32_t generation, uint32_t group_count, uint64_t sent_ns)
      : word{uint64_t{size} | uint64_t{slot} << 32 | uint64_t{guarantee} << 48, uint64_t{generation} | uint64_t{group_count} << 32, sent_ns} {}
  explicit HeaderWords(const RecordHeader& header) {
    const auto* from = reinterpret_cast<const Word*>(&header.size);
    for (int i = 0; i < 3; ++i) word[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
  }
  void store(RecordHeader& header) const {
    auto* to = reinterpret_cast<Word*>(&header.size);
    __atomic_store_n(to, word[0], __ATOMIC_RELAXED);
    __atomic_store_n(to + 1, word[1], __ATOMIC_RELAXED);
    __atomic_store_n(to + 2, word[2], __ATOMIC_RELAXED);
  }

  uint32_t size() const { return static_cast<uint32_t>(word[0]); }
  uint16_t slot() const { return static_cast<uint16_t>(word[0] >> 32); }
  uint8_t guarantee() const { return static_cast<uint8_t>(word[0] >> 48); }
  uint32_t generation() const { return static_cast<uint32_t>(word[1]); }
  uint16_t group_count() const { return static_cast<uint16_t>(word[1] >> 32); }
  uint64_t sent_ns() const { return word[2]; }

 private:
  using Word __attribute__((may_alias)) = uint64_t;
};
static_assert(sizeof(HeaderWords) == sizeof(RecordHeader) - offsetof(RecordHeader, size));

enum class Peek { nothing, record, damaged };

// Reads the record at `position`. `damaged`: its sizes are impossible; no member that follows the rules writes such a
// one, unless the position was lapped meanwhile (the caller knows how to tell).
inline Peek peek(const Segment& segment, uint64_t position, RecordView& out) {
  const uint64_t word = segment.word(position).load(std::memory_order_acquire);  // COMMIT
  const uint32_t kind = segment.kind_at(position, word);
  if (kind == 0) return Peek::nothing;
  const Geometry& g = segment.geometry();
  out.kind = static_cast<Kind>(kind);
  if (__builtin_expect(out.kind == Kind::pad || out.kind == Kind::skip, 0)) {
    out.next = out.kind == Kind::pad ? position + kUnit : (position & ~g.mask) + g.capacity;
    return Peek::record;
  }
  const auto* header = reinterpret_cast<const RecordHeader*>(segment.at(position));
  const HeaderWords words(*header);
  out.size = words.size();
  out.slot = words.slot();
  out.guarantee = words.guarantee();
  out.generation = words.generation();
  out.group_count = words.group_count();
  out.sent_ns = words.sent_ns();
  const uint64_t bytes = record_bytes(out.group_count, out.size);
  if (bytes > g.largest_record || (position & g.mask) + bytes > g.capacity) return Peek::damaged;
  if (__builtin_expect((out.size > g.message_limit || out.group_count > kMaxGroups) && out.kind != Kind::membership, 0)) return Peek::damaged;
  out.groups = reinterpret_cast<const unsigned char*>(header + 1);
  out.data = out.groups + size_t{out.group_count} * kGroupBytes;
  out.next = position + bytes;
  return Peek::record;
}

// 64 bits of a group's key; two 9-bit pieces of it choose the bits of a cursor's filter.
inline uint64_t group_hash(const void* key) {
  uint64_t w[4];
  std::memcpy(w, key, sizeof w);
  uint64_t h = (w[0] ^ 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
  h = (h ^ (h >> 29) ^ w[1]) * 0x94d049bb133111ebull;
  h = (h ^ (h >> 31) ^ w[2]) * 0xbf58476d1ce4e5b9ull;
  h = (h ^ (h >> 27) ^ w[3]) * 0x94d049bb133111ebull;
  return h ^ (h >> 32);
}
struct FilterBits {
  uint32_t first, second;
  explicit FilterBits(uint64_t hash)
      : first(static_cast<uint32_t>(hash & 511)), second(static_cast<uint32_t>((hash >> 9) & 511)) {}
};

}  // namespace evs::shm
