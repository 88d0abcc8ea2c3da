// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/soak.h - a search over days: where it is and what it has seen stand in a file, and the next start goes on there.
#pragma once

#include <string>

#include "tests/sim/ring/outcome.h"

namespace evs::sim {

class Soak {
 public:
  explicit Soak(std::string directory);  // created where it is missing
  bool load(std::string& problem);       // a file that is not one of ours is left alone
  bool save(std::string& problem) const; // whole or not at all

  uint64_t next_seed = 0;  // 0: it has not begun
  Counts sum;

 private:
  const std::string file_;
  const std::string directory_;
};

}  // namespace evs::sim
