// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/cluster.h - some hosts, a bad network, and a judge: one run, drawn from one seed.
//
// First the safety phase: everything that can go wrong does, while messages are sent. Then all links heal and nothing fails any more: the
// living must find together and deliver what they still have. Then the traces are judged, by code that has never heard of the protocol.
#pragma once

#include <deque>
#include <string>

#include "tests/sim/ring/node.h"
#include "tools/verify/check.h"

namespace evs::sim {

struct Plan {  // drawn from the seed; printed first
  uint64_t seed = 0;
  uint32_t hosts = 3;
  double loss = 0, repeat = 0, straggle = 0;
  int picky_type = 0;           // packets of this type are lost more often; 0: none
  bool partitions = true, one_way = false, crashes = true, pauses = false, holes = false, large = false;
  uint32_t accelerated = 20;
  Duration delay_most = 200'000;
  Duration chaos = 0;
  bool processes = false;       // several a host, and they are judged
  uint64_t change_every = 0;    // ns between changes of processes, about
  uint64_t message_every = 0;   // ns between submissions, about

  static Plan draw(uint64_t seed);
  void make_processes();
  void make_late();  // packets that outlive their ring are the rule: for the freeze rule

  std::string text() const;
};

struct Outcome {
  std::vector<verify::Violation> violations;
  std::string unfinished;       // the liveness phase did not come to rest: why
  uint64_t submitted = 0, delivered = 0, configurations = 0, faults = 0, packets = 0, changes = 0;
  std::vector<uint64_t> reasons = std::vector<uint64_t>(static_cast<size_t>(ordering::Why::count_));
  bool good() const { return violations.empty() && unfinished.empty(); }
};

class Cluster {
 public:
  Cluster(const Plan& plan, bool tell);
  Outcome run();

 private:
  void run_until(Instant until, bool chaos);
  void fault();
  void some_message();
  void some_change();
  bool at_rest() const;
  void say(const std::string& what) const;

  const Plan plan_;
  const bool tell_;
  Prng prng_;
  Network network_;
  verify::Run run_;
  std::deque<Node> nodes_;
  Instant now_{1'000'000};
  Instant next_fault_ = ordering::kNever, next_message_ = ordering::kNever, next_change_ = ordering::kNever;
  Outcome outcome_;
};

}  // namespace evs::sim
