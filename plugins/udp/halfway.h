// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/halfway.h - what was being sent to each when the room ended in its midst, and who has it already.
//
// The host offers what was not taken again, first. Without a memory each offer would begin with the first peer: where the room
// never holds a copy for each, those in front would get the same frames at the speed of the line, and what stands behind would
// never leave. So a run that was interrupted goes on where it stopped.
//
// The same frames are known by their bytes, of which a copy is kept: the host may have moved them, or changed its mind. Those who have
// it are known by their indices, in the order of the list: a peer that came meanwhile stands at its end and gets it; once one that
// has it was forgotten, those behind it get it twice, which a medium may do. Nobody who stays misses it.
#pragma once

#include <cstring>
#include <vector>

#include "plugins/udp/batch.h"

namespace evs::udp {

class Halfway {
 public:
  Halfway() { bytes_.reserve(65535); }

  // `run`, which begins with frames[0], reached the first `reached` of `all`.
  void stop(const evs_datagram* frames, const Run& run, const std::vector<uint32_t>& all, size_t reached) {
    run_ = run;
    segment_ = frames[0].size;
    bytes_.clear();
    for (size_t i = 0; i < run.count; ++i) {
      const char* const data = static_cast<const char*>(frames[i].data);
      bytes_.insert(bytes_.end(), data, data + frames[i].size);
    }
    had_.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(reached));
  }
  void clear() { had_.clear(); }

  // How many of the frames, from the first, it is about: none when nothing was interrupted or something else is offered.
  size_t resumes(const evs_datagram* frames, size_t count) const {
    if (had_.empty() || count < run_.count || frames[0].peer != EVS_PEER_ALL || frames[0].size != segment_) return 0;
    const Run run = next_run(frames, run_.count, SIZE_MAX);
    if (run.count != run_.count || run.bytes != run_.bytes) return 0;
    size_t at = 0;
    for (size_t i = 0; i < run.count; at += frames[i++].size)
      if (frames[i].size != 0 && std::memcmp(bytes_.data() + at, frames[i].data, frames[i].size) != 0) return 0;
    return run.count;
  }
  // How many of `all`, from the first, have it.
  size_t reached(const std::vector<uint32_t>& all) const {
    size_t count = 0;
    while (count < had_.size() && count < all.size() && had_[count] == all[count]) ++count;
    return count;
  }

 private:
  Run run_;
  size_t segment_ = 0;
  std::vector<char> bytes_;
  std::vector<uint32_t> had_;
};

}  // namespace evs::udp
