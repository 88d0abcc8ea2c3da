// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/record.h - how a frame lies in the medium's buffer, and how it is handed to the host.
//
//     | Record, 64 bytes | groups, 32 bytes each | data | rest of the last 64-byte unit |
//
// A record is contiguous: what does not fit before the end of the buffer begins anew at its start, behind a pad that
// covers the rest of the lap. The data of a membership record is an evs_membership with its lists behind it, and
// pointers that are right where it lies; a copy sets them anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "evs/plugin.h"

namespace evs::loopback {

inline constexpr uint64_t kUnit = 64;
inline constexpr uint32_t kGroupsPerMessage = 4096;
inline constexpr uint32_t kPad = 0xffffffff;  // a kind that no reader sees

constexpr uint64_t round_up(uint64_t bytes) {
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

struct alignas(kUnit) Record {
  uint64_t length;  // of the whole record, a multiple of kUnit
  uint64_t position;
  uint64_t incarnation;
  uint64_t size;
  uint32_t kind;
  uint32_t nodeid;
  uint32_t group_count;
  uint32_t guarantee;

  std::byte* groups() { return reinterpret_cast<std::byte*>(this + 1); }
  std::byte* data() { return groups() + group_bytes(); }
  uint64_t group_bytes() const { return uint64_t{group_count} * sizeof(evs_plugin_group); }
  uint64_t body_bytes() const { return group_bytes() + size; }
};
static_assert(sizeof(Record) == kUnit && sizeof(evs_plugin_group) == 32);

constexpr uint64_t record_length(uint32_t group_count, uint64_t size) {
  return round_up(sizeof(Record) + uint64_t{group_count} * sizeof(evs_plugin_group) + size);
}

// The frame as the host sees it, its groups and data at `body`.
inline evs_frame frame_at(const Record& record, const std::byte* body) {
  evs_frame frame{};
  frame.kind = record.kind;
  frame.nodeid = record.nodeid;
  frame.position = record.position;
  frame.incarnation = record.incarnation;
  frame.groups = reinterpret_cast<const evs_plugin_group*>(body);
  frame.data = body + record.group_bytes();
  frame.size = record.size;
  frame.group_count = record.group_count;
  frame.guarantee = record.guarantee;
  return frame;
}

// Points a membership's lists behind it; `at` is aligned as its 64-bit members want.
inline void place_lists(std::byte* at) {
  auto* membership = reinterpret_cast<evs_membership*>(at);
  membership->members = reinterpret_cast<const evs_ordered_member*>(membership + 1);
  membership->left = membership->members + membership->member_count;
}

}  // namespace evs::loopback
