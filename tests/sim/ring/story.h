// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/story.h - a run told as a timeline: faults, phases, configurations, and of the messages those that a violation names.
#pragma once

#include <string>
#include <vector>

#include "bus/ordering/ids.h"
#include "tools/verify/check.h"

namespace evs::sim {

class Story {
 public:
  void say(ordering::Instant at, const std::string& what) { lines_.push_back({at.ns, what}); }
  // What the traces show besides: each configuration, and the sendings and deliveries of what the violations are about.
  std::string tell(const verify::Run& run, const std::vector<verify::Violation>& violations) const;

 private:
  struct Line {
    uint64_t at = 0;
    std::string text;
  };
  std::vector<Line> lines_;
};

}  // namespace evs::sim
