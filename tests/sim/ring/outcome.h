// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/outcome.h - what became of a run, and the sums of many.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bus/ordering/protocol.h"
#include "tools/verify/check.h"

namespace evs::sim {

// By name: "fault.crash", "net.lost", "why.token lost", "drop.frozen", "rare.second chance", "messages". Each key stands in it, zeros too.
using Counts = std::map<std::string, uint64_t>;
void add(Counts& sum, const Counts& more);
void count(Counts& counts, const ordering::Protocol& protocol);  // what it has been through
std::string text_of(const Counts& counts);  // a line a kind

// Branches that a search of some thousands of runs must have taken, and has not.
std::vector<std::string> never_taken(const Counts& counts);

struct Outcome {
  std::vector<verify::Violation> violations;
  std::string unfinished;  // it did not come to rest: why
  Counts counts;
  bool good() const { return violations.empty() && unfinished.empty(); }
  // Is one of these predicates, with commas between them, violated? L: it did not come to rest.
  bool violates(const std::string& predicates) const;
  std::string first() const;  // a predicate that is violated, or L
};

}  // namespace evs::sim
