// SPDX-License-Identifier: BSD-3-Clause
// shm/segment.h - one mapped segment, and the geometry that was checked when it was mapped.
//
// After attach nothing trusts the segment's header again: offsets and sizes come from the Geometry kept here, so that an access
// stays inside the mapping whatever a faulty member writes into shared memory.
#pragma once

#include <boost/interprocess/mapped_region.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "shm/layout.h"
#include "shm/status.h"

namespace evs::shm {

// What a new segment shall be like.
struct SegmentShape {
  uint64_t ring_capacity = 4 << 20;
  uint64_t message_limit = 1 << 20;
  uint32_t max_members = 128;
  uint64_t ring_sequence = 1;
};

struct Geometry {
  uint64_t file_bytes = 0;
  uint64_t capacity = 0;
  uint64_t mask = 0;
  uint64_t unit_mask = 0;         // mask without the bits inside a unit
  uint64_t ring_at = 0;
  uint64_t slot_bytes = 0;
  uint64_t message_limit = 0;
  uint32_t max_members = 0;
  uint32_t slot_word_count = 0;   // words of the armed and room bitmaps in use
  uint64_t secret = 0;
  uint64_t ring_sequence = 0;
  uint64_t pid_namespace = 0;
  uint64_t largest_record = 0;  // bytes on the ring
  uint64_t reserve = 0;         // bytes that only leaves and expulsions may use
  uint64_t view_bytes = 0;      // of one ViewCopy with its members

  static Geometry of(const SegmentShape& shape);
};

// Is such a ring possible? The sentence says what would be (used for the configuration's cross-check as well).
Status check_shape(const SegmentShape& shape);

class Segment {
 public:
  Segment() = default;
  Segment(Segment&&) = default;
  Segment& operator=(Segment&&) = default;

  // Builds a segment in the empty file `fd` and maps it. The magic is stored last: a half-built file is no segment.
  static Status build(int fd, const std::string& path, const SegmentShape& shape, Segment& out);
  // Maps an existing one after checking magic, version, boot, geometry and size. Code::corrupt and Code::version: not usable;
  // may be replaced when nobody lives in it. Code::access: made in another pid namespace.
  static Status open(int fd, const std::string& path, Segment& out, bool read_only = false);

  // The pid namespace in the header of this file; 0 when it cannot be read.
  static uint64_t namespace_of(int fd);

  bool mapped() const { return base_ != nullptr; }
  const Geometry& geometry() const { return geometry_; }
  // Reserves the memory of a slot, so that touching it cannot fail with SIGBUS on a full /dev/shm.
  Status reserve_slot(int fd, uint32_t slot) const;
  void prefault();

  const SegmentHeader& header() const { return *reinterpret_cast<const SegmentHeader*>(base_); }
  HotWords& hot() const { return *reinterpret_cast<HotWords*>(base_ + kHotAt); }
  std::atomic<uint64_t>& slot_word(uint32_t slot) const {
    return reinterpret_cast<std::atomic<uint64_t>*>(base_ + kSlotWordsAt)[slot];
  }
  Slot& slot(uint32_t slot) const { return *reinterpret_cast<Slot*>(base_ + kMembersAt + slot * geometry_.slot_bytes); }
  ViewCopy& view_copy(uint32_t slot, uint32_t which) const {
    return *reinterpret_cast<ViewCopy*>(base_ + kMembersAt + slot * geometry_.slot_bytes + sizeof(Slot) +
                                        which * geometry_.view_bytes);
  }
  // A tail or `covered` that a faulty member left in the middle of a unit leads to the unit: its word never straddles the mapping's end.
  unsigned char* at(uint64_t position) const { return ring_ + (position & geometry_.unit_mask); }
  std::atomic<uint64_t>& word(uint64_t position) const {
    return *reinterpret_cast<std::atomic<uint64_t>*>(at(position));
  }
  uint64_t encode(uint64_t position, Kind kind) const {
    return (position | static_cast<uint64_t>(kind)) ^ geometry_.secret;
  }
  // The kind committed at this position, or 0.
  uint32_t kind_at(uint64_t position, uint64_t word) const {
    const uint64_t plain = word ^ geometry_.secret;
    const uint64_t kind = plain - position;  // position's low six bits are zero
    return kind >= 1 && kind <= static_cast<uint64_t>(Kind::skip) ? static_cast<uint32_t>(kind) : 0;
  }
  bool committed(uint64_t position) const {
    return kind_at(position, word(position).load(std::memory_order_acquire)) != 0;
  }

 private:
  Status map(const std::string& path, int fd, bool read_only);

  boost::interprocess::mapped_region region_;
  unsigned char* base_ = nullptr;
  unsigned char* ring_ = nullptr;
  Geometry geometry_;
};

// Facts of this host that a segment is bound to.
Status boot_id(std::string& out);
uint64_t pid_namespace_id();

// Bytes on the ring of a record with so many groups and payload bytes, rounded to units.
constexpr uint64_t record_bytes(uint64_t groups, uint64_t payload) {
  return (sizeof(RecordHeader) + groups * kGroupBytes + payload + kUnit - 1) & ~uint64_t{kUnit - 1};
}
constexpr uint64_t membership_bytes(uint64_t members, uint64_t left) {
  return record_bytes(0, sizeof(MembershipHeader) + (members + left) * sizeof(MemberEntry));
}

}  // namespace evs::shm
