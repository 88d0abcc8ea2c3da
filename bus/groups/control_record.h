// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/control_record.h - what a join or a leave says when it takes its place in the order.
//
// The frame's groups are the groups joined or left; the payload says who, by which handle, and for which of the groups
// the *processor* came or went: the first join of a group in a process and the last leave of it are changes that others
// see, those in between concern one handle alone.
//
//   0 magic u32 "EVSG" | 4 version u8 | 5 type u8 (1 join, 2 leave) | 6 zero u16 | 8 handle u64 | 16 serial u64
//   | 24 processor_changes u64 (bit i: group i of the frame) | 32 end; little-endian
//
// Decode takes all or nothing: a record of another version or length is not ours to judge, and is passed over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace evs::groups {

inline constexpr size_t kControlBytes = 32;
inline constexpr uint32_t kGroupsPerControl = 50;  // of one evs_join(); fits the bits of processor_changes
static_assert(kGroupsPerControl <= 64);

enum class ControlType : uint8_t { join = 1, leave = 2 };

struct ControlRecord {
  ControlType type = ControlType::join;
  uint64_t handle = 0;
  uint64_t serial = 0;  // of the handle's records, from 1: a record that is judged twice is applied once
  uint64_t processor_changes = 0;

  bool is_processor_change(uint32_t group_index) const {
    return group_index < 64 && ((processor_changes >> group_index) & 1) != 0;
  }
};

using ControlBytes = std::array<unsigned char, kControlBytes>;

ControlBytes encode(const ControlRecord& record);
bool decode(const void* bytes, size_t size, ControlRecord& record);

}  // namespace evs::groups
