// SPDX-License-Identifier: BSD-3-Clause
// shm/record.cc - the layout's sizes and offsets, held at compile time where the document states them.
#include "shm/record.h"

namespace evs::shm {

static_assert(offsetof(RecordHeader, size) == 8 && offsetof(RecordHeader, slot) == 12 &&
              offsetof(RecordHeader, guarantee) == 14 && offsetof(RecordHeader, generation) == 16 &&
              offsetof(RecordHeader, group_count) == 20 && offsetof(RecordHeader, sent_ns) == 24);
static_assert(offsetof(SegmentHeader, ring_capacity) == 24 && offsetof(SegmentHeader, secret) == 72 &&
              offsetof(SegmentHeader, boot_id) == 96 && offsetof(SegmentHeader, checksum) == 136);
static_assert(offsetof(Slot, cells) == 256 && offsetof(Slot, pins) == 256 + kCells * kLine &&
              offsetof(Slot, cursors) == 256 + (kCells + kPins) * kLine);
static_assert(record_bytes(1, 64) == 128, "a small message to one group is two lines");

}  // namespace evs::shm
