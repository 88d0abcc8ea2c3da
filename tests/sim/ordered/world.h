// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/world.h - some hosts on an ordered medium, and a judge: one run, drawn from one seed.
//
// As with the token ring (tests/sim/ring/cluster.h): everything that can go wrong does, while messages are sent; then nothing fails any more, and
// the living must find together and deliver. The traces are judged twice, as the hosts saw it and as the processes on them.
#pragma once

#include "tests/sim/ordered/node.h"
#include "tools/verify/check.h"

namespace evs::sim {

struct OrderedPlan {
  uint64_t seed = 0;
  uint32_t hosts = 3;
  bool tells = false;  // the medium tells stability
  bool partitions = true, crashes = true, large = false, slow = false;
  double falls_apart = 0.2, safe = 0.25, change = 0.02;
  Duration chaos = 0, message_every = 0, fault_every = 0, reform_most = 0;

  static OrderedPlan draw(uint64_t seed);
  std::string text() const;
};

struct OrderedOutcome {
  std::vector<verify::Violation> hosts, processes;
  std::string unfinished;
  uint64_t submitted = 0, delivered = 0, configurations = 0, faults = 0, ordered = 0, acknowledgements = 0;
  bool good() const { return hosts.empty() && processes.empty() && unfinished.empty(); }
};

class OrderedWorld {
 public:
  OrderedWorld(const OrderedPlan& plan, bool tell);
  OrderedOutcome run();

 private:
  void run_until(Instant until, bool chaos);
  void fault();
  void some_message();
  bool at_rest() const;
  void settle();
  void judge();
  void say(const std::string& what) const;

  const OrderedPlan plan_;
  const bool tell_;
  test::Dice prng_;
  OrderedMedium medium_;
  Chronicle chronicle_;
  std::deque<OrderedNode> nodes_;
  Instant now_{1'000'000};
  Instant next_fault_ = ordering::kNever, next_message_ = ordering::kNever, next_reform_ = ordering::kNever;
  OrderedOutcome outcome_;
};

}  // namespace evs::sim
