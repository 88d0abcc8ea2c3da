// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_slots.cc - see window_slots.h.
#include "bus/runtime/uplink/window_slots.h"

#include <algorithm>

namespace evs::runtime::uplink::window {

using shm::Code;
using shm::Status;

namespace {

constexpr uint32_t kChunk = 256;  // slots that are reserved together

}  // namespace

Status Slots::reserve_through(uint32_t slots) {
  const auto have = static_cast<uint32_t>(next_.size());
  if (slots <= have) return {};
  if (slots > geometry_.slot_count)
    return Status::fail(Code::no_space, memory_.path() + " has no room for what members have begun to send: messages that have no end, or frames much larger than "
                                                         "frame_bytes of this host; give all hosts the same configuration");
  const uint32_t most = std::min(geometry_.slot_count, std::max(slots, have + kChunk));
  if (Status s = memory_.reserve(geometry_.slot_at(have), uint64_t{most - have} * geometry_.slot_bytes); !s.ok()) return s;
  next_.resize(most, kNoSlot);
  free_.reserve(most);
  taken_.reserve(most);
  freed_.reserve(most);
  return {};
}

Status Slots::adopt(uint32_t slot) {
  if (slot >= geometry_.slot_count) return memory_.damaged("a chain of slots leads out of it");
  if (Status s = reserve_through(slot + 1); !s.ok()) return s;
  used_.resize(next_.size());
  if (used_[slot]) return memory_.damaged("a slot is used twice");
  used_[slot] = true;
  return {};
}

Status Slots::adopt_rest(uint32_t first, size_t bytes, uint32_t& last) {
  last = first;
  for (size_t left = count_for(bytes) - 1; left != 0; --left) {
    const auto next = static_cast<uint32_t>(memory_.word(geometry_.slot_at(last)) >> 32);
    if (Status s = adopt(next - 1); !s.ok()) return s;
    next_[last] = next - 1;
    last = next - 1;
  }
  return {};
}

// As many as the core's store has frames are there from the beginning.
Status Slots::finish_adopting() {
  if (Status s = reserve_through(std::min(geometry_.shape.store_frames, geometry_.slot_count)); !s.ok()) return s;
  used_.resize(next_.size());
  for (auto slot = static_cast<uint32_t>(next_.size()); slot-- != 0;)
    if (!used_[slot]) free_.push_back(slot);
  used_ = {};
  return {};
}

Status Slots::take(uint32_t& slot) {
  if (free_.empty()) {
    const auto have = static_cast<uint32_t>(next_.size());
    if (Status s = reserve_through(have + 1); !s.ok()) return s;
    for (auto fresh = static_cast<uint32_t>(next_.size()); fresh-- != have;) free_.push_back(fresh);
  }
  slot = free_.back();
  free_.pop_back();
  taken_.push_back(slot);
  return {};
}

void Slots::link(uint32_t slot, uint32_t next) {
  next_[slot] = next;
  memory_.put(geometry_.slot_at(slot), (uint64_t{next} + 1) << 32);
}

Status Slots::write_chain(ordering::Bytes bytes, uint32_t& first) {
  const auto size = static_cast<uint64_t>(bytes.size());
  uint32_t before = kNoSlot, slot = kNoSlot;
  do {
    if (Status s = take(slot); !s.ok()) return s;
    if (before == kNoSlot) first = slot;
    const ordering::Bytes part = bytes.first(std::min(bytes.size(), room()));
    if (before != kNoSlot) {
      next_[before] = slot;
      memory_.put(geometry_.slot_at(before), (before == first ? size : 0) | (uint64_t{slot} + 1) << 32);
    }
    memory_.write(data_at(slot), part);
    bytes = bytes.subspan(part.size());
    before = slot;
  } while (!bytes.empty());
  if (slot == first) memory_.put(geometry_.slot_at(first), size);
  return {};
}

void Slots::give_back(uint32_t first, size_t bytes) {
  for (size_t left = count_for(bytes); left != 0; --left) {
    freed_.push_back(first);
    first = next_[first];
  }
}

void Slots::settle() {
  free_.insert(free_.end(), freed_.begin(), freed_.end());
  freed_.clear();
  taken_.clear();
}

void Slots::take_back() {
  free_.insert(free_.end(), taken_.begin(), taken_.end());
  freed_.clear();
  taken_.clear();
}

ordering::Bytes Slots::bytes_of(uint32_t first, size_t bytes, std::vector<std::byte>& scratch) const {
  if (bytes <= room()) return memory_.bytes(data_at(first), bytes);
  scratch.clear();
  for (uint32_t slot = first; bytes != 0; slot = next_[slot]) {
    const ordering::Bytes part = memory_.bytes(data_at(slot), std::min(bytes, room()));
    scratch.insert(scratch.end(), part.begin(), part.end());
    bytes -= part.size();
  }
  return scratch;
}

}  // namespace evs::runtime::uplink::window
