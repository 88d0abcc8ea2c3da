// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/room.h - how much may be delivered: what the log that the caller appends to has room for.
//
// The caller says it before each call, and each delivery takes its bytes and an overhead off it. What finds no room stays in the window, in its
// place; the caller says when there is more (Protocol::on_room). Configurations are not counted: they are few, and whoever has a log keeps
// room for them.
#pragma once

#include <algorithm>
#include <cstdint>

namespace evs::ordering {

class Room {
 public:
  explicit Room(uint32_t overhead) : overhead_(overhead) {}

  void set(uint64_t bytes) { left_ = bytes; }
  bool is_limited() const { return left_ != kUnlimited; }
  bool has(uint64_t bytes, uint64_t messages) const { return bytes + messages * overhead_ <= left_; }
  void take(uint64_t bytes) { left_ -= std::min(left_, bytes + overhead_); }

 private:
  static constexpr uint64_t kUnlimited = UINT64_MAX;
  uint64_t left_ = kUnlimited;
  const uint32_t overhead_;
};

}  // namespace evs::ordering
