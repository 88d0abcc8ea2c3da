// SPDX-License-Identifier: BSD-3-Clause
// tools/top/history.h - the memberships that were seen: when each began, who came and who went and why, and for how long it was in force.
//
// Made of frames: what came and went between two of them is told as one change. Why somebody went is what its slot still says (metrics/snapshot.h); where somebody else has the
// slot by then, it is not known, and that is what is said.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/top/frame.h"

namespace evs::top {

inline constexpr size_t kMostChanges = 500;

struct Change {
  uint64_t unix_ns = 0;       // of the first frame that had it
  uint64_t monotonic_ns = 0;
  bool hosts = false;         // of the ring of hosts; otherwise of this host's processes
  bool first = false;         // it was in force when we came: since when is not known
  std::string name;           // "1.14", "ring 8"
  size_t members = 0;
  std::string cause;          // "812 (cat) died; 900 (cat) joined"
  std::optional<uint64_t> in_force_ns;  // empty: it still is
  std::optional<uint64_t> took_ns;      // hosts: how long the ring carried nothing before it, as far as was seen
};

class History {
 public:
  void add(const Frame& frame);
  const std::deque<Change>& changes() const { return changes_; }  // the oldest first

 private:
  void add_processes(const Frame& frame);
  void add_counted(const Frame& frame);
  void add_hosts(const Frame& frame);
  void put(const Frame& frame, Change change);

  std::deque<Change> changes_;
  bool begun_ = false, ring_begun_ = false;
  std::pair<uint64_t, uint64_t> membership_{};                                    // ring_sequence, change
  std::map<std::pair<uint32_t, uint64_t>, std::string> present_;                  // nodeid and generation, in words
  double memberships_total_ = 0;
  std::string ring_, hosts_;
  std::optional<uint64_t> broken_since_ns_;
};

}  // namespace evs::top
