// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/segment_world.h - a small segment with something in it, damaged as the input says, and everything that
// reads one.
//
// The input is a list of strokes, each 12 bytes: a region, an index into it, an operation and 8 bytes of value. A
// mutation of it is damage at another place, where a mutation of the segment's own bytes would mostly hit zeroes. Used
// by the fuzzer, and by the scenario that makes up its strokes at random.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "shm/inspect.h"
#include "shm/record.h"
#include "shm/room.h"
#include "shm/slots.h"
#include "shm/view.h"

namespace evs::fuzz {

class SegmentWorld {
 public:
  static constexpr size_t kStroke = 12;

  SegmentWorld() {
    char name[] = "/dev/shm/evs-strokes-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/b.ring";
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    shm::SegmentShape shape;
    shape.ring_capacity = 1 << 19;
    shape.message_limit = 1024;
    shape.max_members = kMembers;
    if (!shm::Segment::build(fd_, path_, shape, segment_).ok()) __builtin_trap();
    populate();
    bytes_ = static_cast<unsigned char*>(mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0));
    whole_.assign(bytes_, bytes_ + size());
  }
  ~SegmentWorld() {
    munmap(bytes_, size());
    close(fd_);
    unlink(path_.c_str());
    unlink((directory_ + "/b.lock").c_str());
    rmdir(directory_.c_str());
  }
  SegmentWorld(const SegmentWorld&) = delete;
  SegmentWorld& operator=(const SegmentWorld&) = delete;

  // Damages the whole segment, reads it in every way there is, and mends it. true: it was accepted as a segment.
  bool run(const unsigned char* strokes, size_t length) {
    std::vector<std::pair<size_t, size_t>> touched;
    bool reseal = false;
    for (; length >= kStroke; strokes += kStroke, length -= kStroke) {
      if (strokes[0] % kRegions == kResealed) {
        reseal = true;  // a header that lies consistently
        continue;
      }
      touched.push_back(apply(strokes));
    }
    if (reseal) seal();
    const bool accepted = read_all();
    for (const auto& [at, n] : touched) memcpy(bytes_ + at, whole_.data() + at, n);
    memcpy(bytes_, whole_.data(), shm::kPage);  // readers raise `covered`
    return accepted;
  }

 private:
  static constexpr uint32_t kMembers = 4;
  enum Region {
    kHeader,
    kHot,
    kSlotWords,
    kSlotFronts,
    kCellsAndPins,
    kCursors,
    kViews,
    kRecords,
    kAnywhere,
    kResealed,
    kRegions
  };

  size_t size() const { return segment_.geometry().file_bytes; }

  // Members in slots 0 to 2, one of them dead in a claim, memberships and messages in the ring, a view published,
  // cursors behind.
  void populate() {
    const uint64_t start = segment_.hot().tail.load();
    uint64_t tail = start;
    shm::View view;
    for (uint32_t i = 0; i < 3; ++i) {
      segment_.slot_word(i).store(shm::SlotWord{1, i, shm::SlotState::live, shm::MemberReason::stays}.pack());
      shm::View next = view;
      next.change += 2;
      next.members.push_back({i, 1, getpid(), static_cast<uint32_t>(shm::MemberReason::joined), 1});
      const auto payload = shm::encode_membership(next, view);
      next.position = tail;
      tail = put(tail, shm::Kind::membership, 0, payload.data(), payload.size());
      view = next;
    }
    for (uint32_t i = 0; i < 40; ++i) tail = put(tail, shm::Kind::message, 1 + i % 3, whole_text().data(), i * 20);
    shm::Slot& slot = segment_.slot(0);
    slot.cells_used = 2;
    slot.cursors_used = 2;
    slot.pins_used = 1;
    slot.cursors[0].in_use = 1;
    slot.cursors[0].position = start | 1;
    slot.cursors[1].in_use = 1;
    slot.cursors[1].position = tail | 1;
    segment_.slot(2).cells_used = 1;
    segment_.slot(2).cells[0].intent = tail | shm::kIntentOwner;
    segment_.slot_word(2).store(shm::SlotWord{1, 0, shm::SlotState::dead, shm::MemberReason::died}.pack());
    segment_.hot().tail.store(tail + 4 * shm::kUnit);
    shm::publish(segment_, 1, view);
  }
  static const std::string& whole_text() {
    static const std::string text(1024, 't');
    return text;
  }
  uint64_t put(uint64_t at, shm::Kind kind, uint16_t groups, const void* payload, size_t n) {
    auto* header = reinterpret_cast<shm::RecordHeader*>(segment_.at(at));
    unsigned char* body = segment_.at(at) + sizeof(shm::RecordHeader);
    memset(body, 'g', size_t{groups} * shm::kGroupBytes);
    memcpy(body + size_t{groups} * shm::kGroupBytes, payload, n);
    header->size = static_cast<uint32_t>(n);
    header->slot = 1;
    header->generation = 1;
    header->group_count = groups;
    header->commit.store(segment_.encode(at, kind));
    starts_.push_back(at);
    return at + shm::record_bytes(groups, n);
  }

  std::pair<size_t, size_t> apply(const unsigned char* stroke) {
    const uint32_t index = stroke[1] | stroke[2] << 8;
    uint64_t value = 0;
    memcpy(&value, stroke + 4, sizeof value);
    const shm::Geometry& g = segment_.geometry();
    const size_t slot_at = shm::kMembersAt + index % kMembers * g.slot_bytes;
    size_t at = 0;
    switch (stroke[0] % kRegions) {
      case kHeader:
        at = index % (sizeof(shm::SegmentHeader) / 4) * 4;
        break;
      case kHot:
        at = shm::kHotAt + index % (sizeof(shm::HotWords) / 8) * 8;
        break;
      case kSlotWords:
        at = shm::kSlotWordsAt + index % kMembers * 8;
        break;
      case kSlotFronts:
        at = slot_at + index / kMembers % (offsetof(shm::Slot, cells) / 8) * 8;
        break;
      case kCellsAndPins:
        at = slot_at + offsetof(shm::Slot, cells) + index / kMembers % (shm::kCells + shm::kPins) * shm::kLine;
        break;
      case kCursors:
        at = slot_at + offsetof(shm::Slot, cursors) + index / kMembers % 256 * 8;
        break;
      case kViews:
        at = slot_at + sizeof(shm::Slot) + index / kMembers % (2 * g.view_bytes / 4) * 4;
        break;
      case kRecords:
        at = g.ring_at + (starts_[index % starts_.size()] & g.mask) + index / starts_.size() % 32 * 4;
        break;
      default:
        at = value % (g.file_bytes - 8);
        break;
    }
    at = std::min<size_t>(at, g.file_bytes - 8);
    uint64_t now = 0;
    memcpy(&now, bytes_ + at, sizeof now);
    switch (stroke[3] % 5) {
      case 0:
        now = value;
        break;
      case 1:
        now ^= 1ull << (value % 64);
        break;
      case 2:
        now += value;
        break;
      case 3:
        now = (now & ~0xffffffffull) | (value & 0xffffffff);
        break;
      default:
        now = segment_.geometry().secret ^ value;
        break;
    }
    memcpy(bytes_ + at, &now, sizeof now);
    return {at, sizeof now};
  }

  // The header's own sum (shm/segment.cc: FNV-1a behind the magic), so that what it guards is reached.
  void seal() {
    uint64_t sum = 0xcbf29ce484222325ull;
    for (size_t i = offsetof(shm::SegmentHeader, layout_version); i < offsetof(shm::SegmentHeader, checksum); ++i)
      sum = (sum ^ bytes_[i]) * 0x100000001b3ull;
    memcpy(bytes_ + offsetof(shm::SegmentHeader, checksum), &sum, sizeof sum);
  }

  bool read_all() {
    shm::Snapshot snapshot;
    static_cast<void>(shm::inspect(directory_, "", "b", snapshot));
    shm::Segment segment;
    if (!shm::Segment::open(fd_, path_, segment, true).ok()) return false;
    // Readers of the ring write `covered`, so they get a mapping that can be written.
    if (!shm::Segment::open(fd_, path_, segment).ok()) return false;
    const uint64_t tail = segment.hot().tail.load(), covered = segment.hot().covered.load();
    shm::View view = shm::load_latest(segment);
    static_cast<void>(shm::left_between(view, shm::View{}, segment));
    for (uint64_t from : {covered, starts_.front(), starts_.back()}) {
      shm::View fold_of = from == covered ? view : shm::View{};
      static_cast<void>(shm::walk(segment, from, fold_of, tail));
      static_cast<void>(shm::left_between(fold_of, view, segment));
    }
    uint64_t sum = 0;
    for (const uint64_t at : starts_) {
      shm::RecordView record;
      if (shm::peek(segment, at, record) != shm::Peek::record || record.data == nullptr) continue;
      for (uint32_t i = 0; i < record.size; ++i) sum += record.data[i];
      for (uint32_t i = 0; i < record.group_count; ++i)
        sum += shm::group_hash(record.groups + size_t{i} * shm::kGroupBytes);
    }
    sink_ = sum;
    static_cast<void>(shm::scan_room(segment));
    static_cast<void>(shm::lowest_cursor(segment));
    return true;
  }

  std::string directory_, path_;
  int fd_ = -1;
  shm::Segment segment_;
  unsigned char* bytes_ = nullptr;
  std::vector<unsigned char> whole_;
  std::vector<uint64_t> starts_;
  volatile uint64_t sink_ = 0;
};

}  // namespace evs::fuzz
