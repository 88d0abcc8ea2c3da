// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/main.cc - evs-ring-sim: seeds in, violations out.
//
//   evs-ring-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--keep-going]
//
// --seed plays one run and, with --tell, its faults as a timeline. Exit status: 0 all runs were good, 1 one was not, 2 usage.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/sim/ring/cluster.h"

namespace {

bool number(const char* argument, const char* name, uint64_t& out) {
  const size_t n = strlen(name);
  if (strncmp(argument, name, n) != 0) return false;
  char* end = nullptr;
  out = strtoull(argument + n, &end, 10);
  return *end == '\0' && argument[n] != '\0';
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t from = 1, seeds = 1000, one = 0;
  bool tell = false, keep_going = false;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--tell") == 0) tell = true;
    else if (strcmp(argv[i], "--keep-going") == 0) keep_going = true;
    else if (!number(argv[i], "--from=", from) && !number(argv[i], "--seeds=", seeds) && !number(argv[i], "--seed=", one)) {
      fprintf(stderr, "usage: evs-ring-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--keep-going]\n");
      return 2;
    }
  }
  if (one != 0) {
    from = one;
    seeds = 1;
  }
  evs::sim::Outcome sum;
  uint64_t bad = 0;
  for (uint64_t seed = from; seed < from + seeds; ++seed) {
    const evs::sim::Plan plan = evs::sim::Plan::draw(seed);
    if (seeds == 1) printf("%s\n", plan.text().c_str());
    fflush(stdout);
    evs::sim::Cluster cluster(plan, tell);
    const evs::sim::Outcome outcome = cluster.run();
    sum.submitted += outcome.submitted;
    sum.delivered += outcome.delivered;
    sum.configurations += outcome.configurations;
    sum.faults += outcome.faults;
    sum.packets += outcome.packets;
    for (size_t i = 0; i < sum.reasons.size(); ++i) sum.reasons[i] += outcome.reasons[i];
    if (outcome.good()) continue;
    ++bad;
    if (seeds != 1) printf("%s\n", plan.text().c_str());
    if (!outcome.unfinished.empty()) printf("  %s\n", outcome.unfinished.c_str());
    for (const auto& violation : outcome.violations) printf("%s", evs::verify::to_text(violation).c_str());
    if (!keep_going) break;
  }
  printf("%llu runs, %llu bad; %llu messages, %llu deliveries, %llu configurations, %llu faults, %llu packets\n",
         static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(bad), static_cast<unsigned long long>(sum.submitted),
         static_cast<unsigned long long>(sum.delivered), static_cast<unsigned long long>(sum.configurations),
         static_cast<unsigned long long>(sum.faults), static_cast<unsigned long long>(sum.packets));
  printf("gathered because: started %llu, token lost %llu, foreign ring %llu, join %llu, cannot receive %llu, no consensus %llu, commit lost %llu, "
         "recovery lost %llu, recovery too long %llu, paused %llu\n",
         static_cast<unsigned long long>(sum.reasons[0]), static_cast<unsigned long long>(sum.reasons[1]),
         static_cast<unsigned long long>(sum.reasons[2]), static_cast<unsigned long long>(sum.reasons[3]),
         static_cast<unsigned long long>(sum.reasons[4]), static_cast<unsigned long long>(sum.reasons[5]),
         static_cast<unsigned long long>(sum.reasons[6]), static_cast<unsigned long long>(sum.reasons[7]),
         static_cast<unsigned long long>(sum.reasons[8]), static_cast<unsigned long long>(sum.reasons[9]));
  return bad == 0 ? 0 : 1;
}
