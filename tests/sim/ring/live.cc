// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/live.cc - see live.h.
#include "tests/sim/ring/live.h"

#include <algorithm>
#include <cstdio>

#include "tests/sim/ring/cluster.h"

namespace evs::sim {
namespace {

constexpr Duration kFine = kMs;  // how finely is measured
constexpr uint32_t kMessages = 10;

double in_ms(Duration d) { return static_cast<double>(d) / 1e6; }

// How long until they are at rest; kNever's worth when they are not, by then.
Duration time_to_rest(Cluster& cluster, Duration most) {
  const Instant began = cluster.now();
  while (!cluster.at_rest()) {
    if (cluster.now() - began > most) return UINT64_MAX;
    cluster.run_until(cluster.now() + kFine);
  }
  return cluster.now() - began;
}

Event message(HostId from, uint32_t id) {
  Event event;
  event.act = Act::send;
  event.a = from;
  event.b = id % 4;
  event.n = 100;
  event.id = id;
  return event;
}

bool print_findings(const Outcome& outcome) {
  for (const auto& violation : outcome.violations) printf("%s", verify::to_text(violation).c_str());
  return outcome.violations.empty();
}

}  // namespace

bool form(uint32_t hosts) {
  // Joins cross each other: each round of them may be answered by another, and the last to be heard decides.
  const Duration bound = 2000 * kMs;
  const Plan plan = Plan::calm(1, hosts);
  Cluster cluster(plan, {});
  cluster.begin();
  cluster.run_until(cluster.now() + kFine);
  const Duration formed = time_to_rest(cluster, bound);
  if (formed == UINT64_MAX) {
    printf("%u hosts formed no ring within %.0f ms\n", hosts, in_ms(bound));
    return false;
  }
  uint32_t id = 0;
  for (uint32_t i = 0; i < kMessages; ++i)
    for (HostId host = 1; host <= hosts; ++host) cluster.apply(message(host, ++id));
  const Instant sent = cluster.now();
  const auto all_delivered = [&] {
    for (HostId host = 1; host <= hosts; ++host)
      if (cluster.node(host).delivered() != uint64_t{kMessages} * hosts) return false;
    return true;
  };
  while (!all_delivered() && cluster.now() - sent <= bound) cluster.run_until(cluster.now() + kFine);
  printf("%u hosts form one ring in %.0f ms of virtual time and deliver %u messages of each in %.0f ms more\n", hosts, in_ms(formed), kMessages,
         in_ms(cluster.now() - sent));
  return all_delivered() && print_findings(cluster.judge(true));
}

bool silent_merge() {
  const Duration bound = 2000 * kMs;
  Plan plan = Plan::calm(1, 4);
  Cluster cluster(plan, {});
  cluster.network().partition(0b0011);
  cluster.begin();
  cluster.run_until(cluster.now() + bound);  // two rings of two
  cluster.network().heal();
  const Duration merged = time_to_rest(cluster, bound);
  if (merged == UINT64_MAX) printf("two rings without a word did not find together within %.0f ms\n", in_ms(bound));
  else printf("two rings without a word are one after %.0f ms\n", in_ms(merged));
  return merged != UINT64_MAX && print_findings(cluster.judge(true));
}

}  // namespace evs::sim
