// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/batch.h - which frames travel in one call of the kernel, and how one that came as many is cut again.
//
// Segmentation offload: the kernel takes many datagrams of one size to one destination as a single message, carries it through
// its layers once, and cuts it at the very end, in the network card where that can; the receiver's kernel may hand over a
// whole run uncut. One trip through the stack instead of forty is the whole gain. Pure: no socket here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "evs/plugin.h"

namespace evs::udp {

inline constexpr size_t kSegmentsMost = 64;  // UDP_MAX_SEGMENTS of every kernel that has UDP_SEGMENT
// What a message may hold beside its headers: 65535 less those of IPv6, the longer ones.
inline constexpr size_t kRunBytes = 65535 - 40 - 8;

// A run of consecutive frames that go to the kernel as one message.
struct Run {
  size_t count = 1;
  size_t bytes = 0;
  bool offloaded() const { return count > 1; }
};

// The run that begins with frames[0]: frames of one size to one destination, of which the last may be shorter. Frames larger than
// `largest_segment` travel alone: the kernel does not cut what must be cut again on its way. 0: no offload at all.
inline Run next_run(const evs_datagram* frames, size_t count, size_t largest_segment) {
  Run run{1, frames[0].size};
  const size_t segment = frames[0].size;
  if (segment == 0 || segment > largest_segment) return run;
  const size_t most = std::min(count, kSegmentsMost);
  while (run.count < most) {
    const evs_datagram& next = frames[run.count];
    if (next.peer != frames[0].peer || next.size > segment || next.size == 0 || run.bytes + next.size > kRunBytes) break;
    run.bytes += next.size;
    ++run.count;
    if (next.size < segment) break;  // a shorter one ends it
  }
  return run;
}

// Cuts what arrived, `bytes` long in segments of `segment` (0: it is one frame), piece by piece.
class Cut {
 public:
  Cut() = default;
  Cut(size_t bytes, size_t segment) : left_(bytes), segment_(segment == 0 ? bytes : segment), more_(true) {}

  bool more() const { return more_; }
  size_t offset() const { return offset_; }
  size_t size() const { return std::min(left_, segment_); }
  void advance() {
    offset_ += size();
    left_ -= size();
    more_ = left_ > 0;
  }

 private:
  size_t offset_ = 0, left_ = 0, segment_ = 0;
  bool more_ = false;  // an empty datagram is one frame of no bytes
};

}  // namespace evs::udp
