// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check.h - did these processes see extended virtual synchrony?
//
// The predicates are those of Moser, Amir, Melliar-Smith and Agarwal (ICDCS 1994), as docs/trace-format.md words them:
// W1 to W8 (well-formed), 1.1 to 1.5 (basic delivery), 2.1 to 2.4 (configurations), 3 (self-delivery), 4 (failure
// atomicity), 5 (causal and FIFO order), 6.1 and 6.2 (agreed order, no gaps), 7.1 and 7.2 (safe delivery), P1 to P5
// (primary configurations), and for a run that came to rest L1 and L2 (liveness). They read traces and nothing else, so a protocol cannot talk them round.
//
// A group of predicates is a file, check_GROUP.cc; all of them read one Index of the run. Costs: a sort of the
// messages, else linear in the events, times the members where each member owes something (5, 6.2, 7.1).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/verify/trace.h"

namespace evs::verify {

struct Options {
  // The run ended long after its last fault: what is missing now will not come any more. Asks 2.1, and 7.1 and 7.2 also
  // of processes that were still in the configuration.
  bool quiescent = false;
  // Traces of some processes are missing: what only they could show is not held against the others.
  bool partial = false;
  size_t limit = 100;  // violations told; each violated predicate is told at least once as long as there is room
};

// An event that proves something; `trace` and `event` are indexes into the run.
struct Evidence {
  size_t trace = 0;
  size_t event = 0;
  std::string where;  // "b.trace:17", or "2.1 #16" for a trace without a file
  std::string text;   // the event as the format writes it
};

struct Violation {
  std::string predicate;  // "W5", "1.3", "L2"
  std::string sentence;
  std::vector<Evidence> evidence;
};

std::vector<Violation> check(const Run& run, const Options& options = {});

// For a run that came to rest. Each group names processes (nodeids) that could all reach each other at its end; those
// without a living incarnation are passed over.
std::vector<Violation> check_liveness(const Run& run, const std::vector<std::vector<uint32_t>>& connected,
                                      const Options& options = {});

std::string to_text(const Violation& violation);  // several lines

}  // namespace evs::verify
