// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/shm/ground.h - a directory in memory and a small segment in it, for tests of shm/'s parts one by one.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "shm/directory.h"
#include "shm/segment.h"
#include "shm/slots.h"
#include "shm/view.h"

namespace evs::shm {

class Ground {
 public:
  Ground() {
    char name[] = "/dev/shm/evs-ground-XXXXXX";
    path_ = mkdtemp(name);
    const Status opened = directory.open(path_, "", false);
    if (!opened.ok()) ADD_FAILURE() << opened.text;
  }
  ~Ground() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

  Directory directory;

 private:
  std::string path_;
};

// Eight places, 512 KiB, and nobody in it.
class SmallRing : public Ground {
 public:
  SmallRing() {
    SegmentShape shape;
    shape.ring_capacity = 1 << 19;
    shape.message_limit = 1024;
    shape.max_members = 8;
    const int fd = directory.open_file("b.ring", O_RDWR | O_CREAT | O_EXCL, 0600);
    const Status built = Segment::build(fd, path() + "/b.ring", shape, segment);
    if (!built.ok()) ADD_FAILURE() << built.text;
    close(fd);
  }
  void live(uint32_t slot, SlotState state = SlotState::live, uint32_t generation = 1) const {
    segment.slot_word(slot).store(SlotWord{generation, slot, state, MemberReason::stays}.pack());
  }
  uint64_t tail() const { return segment.hot().tail.load(); }
  // Claims as a writer would and commits nothing.
  uint64_t claim(uint32_t slot, uint32_t cell, uint64_t bytes, bool won = true) const {
    const uint64_t at = tail();
    Slot& body = segment.slot(slot);
    if (body.cells_used.load() <= cell) body.cells_used.store(cell + 1);
    body.cells[cell].intent.store(at | (won ? kIntentOwner : kIntentOpen));
    if (won) segment.hot().tail.store(at + bytes);
    return at;
  }
  void cursor(uint32_t slot, uint32_t index, uint64_t position) const {
    Slot& body = segment.slot(slot);
    if (body.cursors_used.load() <= index) body.cursors_used.store(index + 1);
    body.cursors[index].position.store(position | 1);
  }
  uint64_t put(Kind kind, const void* payload, size_t size) const {
    const uint64_t at = tail();
    auto* header = reinterpret_cast<RecordHeader*>(segment.at(at));
    memcpy(segment.at(at) + sizeof(RecordHeader), payload, size);
    header->size = static_cast<uint32_t>(size);
    header->slot = 0;
    header->generation = 1;
    header->group_count = 0;
    header->commit.store(segment.encode(at, kind));
    segment.hot().tail.store(at + record_bytes(0, size));
    return at;
  }
  Segment segment;
};

}  // namespace evs::shm
