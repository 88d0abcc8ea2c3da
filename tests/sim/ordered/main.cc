// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/main.cc - evs-ordered-sim: seeds in, violations out.
//
//   evs-ordered-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--keep-going] [--mutant=NAME --expect=P,P]
//
// --seed plays one run and, with --tell, its faults as a timeline. --mutant leaves a rule out (in the build for tests alone): the first bad run
// must then violate one of the predicates expected, at the hosts, or with a p before its name at the processes; L stands for a run that
// does not come to rest. Exit status: 0 all runs were good, or the mutant was caught as expected; 1 not so; 2 usage.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bus/ordering/mutant.h"
#include "tests/sim/ordered/world.h"

namespace {

using evs::ordering::Mutant;
using evs::sim::OrderedOutcome;
using evs::sim::OrderedPlan;

constexpr auto kFirstMutant = Mutant::ordered_safe_at_once;
constexpr const char* kMutants[] = {"safe-at-once", "change-at-once", "speaks-ahead", "no-early-step", "companions-by-name", "no-step-between",
                                    "cut-goes-on", "same-proposal", "named-after-lowest", "not-frozen", "state-each-time"};
static_assert(std::size(kMutants) == static_cast<size_t>(Mutant::count_) - static_cast<size_t>(kFirstMutant));

struct Wishes {
  uint64_t from = 1, seeds = 1000, one = 0;
  bool tell = false, keep_going = false;
  std::string mutant, expect;
};

bool text(const char* argument, const char* name, std::string& out) {
  const size_t n = strlen(name);
  if (strncmp(argument, name, n) != 0) return false;
  out = argument + n;
  return true;
}

bool number(const char* argument, const char* name, uint64_t& out) {
  std::string digits;
  if (!text(argument, name, digits)) return false;
  out = strtoull(digits.c_str(), nullptr, 10);
  return true;
}

bool plant([[maybe_unused]] const std::string& name) {
  if (name.empty()) return true;
#ifdef EVS_ORDERING_MUTANTS
  for (size_t i = 0; i < std::size(kMutants); ++i) {
    if (name != kMutants[i]) continue;
    evs::ordering::g_mutant = static_cast<Mutant>(static_cast<size_t>(kFirstMutant) + i);
    return true;
  }
#endif
  return false;
}

bool as_expected(const std::string& expect, const OrderedOutcome& outcome) {
  const std::string list = "," + expect + ",";
  if (!outcome.unfinished.empty() && list.find(",L,") != std::string::npos) return true;
  for (const auto& violation : outcome.hosts)
    if (list.find("," + violation.predicate + ",") != std::string::npos) return true;
  for (const auto& violation : outcome.processes)
    if (list.find(",p" + violation.predicate + ",") != std::string::npos) return true;
  return false;
}

void tell_of(const OrderedPlan& plan, const OrderedOutcome& outcome) {
  printf("%s\n", plan.text().c_str());
  if (!outcome.unfinished.empty()) printf("  %s\n", outcome.unfinished.c_str());
  for (const auto& violation : outcome.hosts) printf("%s", evs::verify::to_text(violation).c_str());
  for (const auto& violation : outcome.processes) printf("processes: %s", evs::verify::to_text(violation).c_str());
}

void add(OrderedOutcome& sum, const OrderedOutcome& outcome) {
  sum.submitted += outcome.submitted;
  sum.delivered += outcome.delivered;
  sum.configurations += outcome.configurations;
  sum.faults += outcome.faults;
  sum.ordered += outcome.ordered;
  sum.acknowledgements += outcome.acknowledgements;
}

}  // namespace

int main(int argc, char** argv) {
  Wishes wishes;
  for (int i = 1; i < argc; ++i) {
    const char* a = argv[i];
    if (strcmp(a, "--tell") == 0) wishes.tell = true;
    else if (strcmp(a, "--keep-going") == 0) wishes.keep_going = true;
    else if (!number(a, "--from=", wishes.from) && !number(a, "--seeds=", wishes.seeds) && !number(a, "--seed=", wishes.one) &&
             !text(a, "--mutant=", wishes.mutant) && !text(a, "--expect=", wishes.expect)) {
      const bool help = strcmp(a, "--help") == 0;
      if (!help) fprintf(stderr, "evs-ordered-sim: unknown option %s\n", a);
      fprintf(help ? stdout : stderr, "usage: evs-ordered-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--keep-going] [--mutant=NAME --expect=P,P]\n");
      return help ? 0 : 2;
    }
  }
  if (!plant(wishes.mutant)) {
    fprintf(stderr, "evs-ordered-sim: no mutant %s in this build\n", wishes.mutant.c_str());
    return 2;
  }
  if (wishes.one != 0) {
    wishes.from = wishes.one;
    wishes.seeds = 1;
  }
  OrderedOutcome sum;
  uint64_t runs = 0, bad = 0;
  for (uint64_t seed = wishes.from; seed < wishes.from + wishes.seeds; ++seed) {
    const OrderedPlan plan = OrderedPlan::draw(seed);
    if (wishes.tell) printf("%s\n", plan.text().c_str());
    const OrderedOutcome outcome = evs::sim::OrderedWorld(plan, wishes.tell).run();
    add(sum, outcome);
    ++runs;
    if (outcome.good()) continue;
    ++bad;
    tell_of(plan, outcome);
    if (!wishes.expect.empty()) {
      const bool caught = as_expected(wishes.expect, outcome);
      printf("%s: %s by %s, in run %llu\n", wishes.mutant.c_str(), caught ? "caught" : "not caught", wishes.expect.c_str(),
             static_cast<unsigned long long>(runs));
      return caught ? 0 : 1;
    }
    if (!wishes.keep_going) break;
  }
  const auto u = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  printf("%llu runs, %llu bad; %llu messages, %llu deliveries, %llu configurations, %llu faults, %llu packets ordered, %llu of them acknowledgements\n",
         u(runs), u(bad), u(sum.submitted), u(sum.delivered), u(sum.configurations), u(sum.faults), u(sum.ordered), u(sum.acknowledgements));
  return bad == 0 && wishes.expect.empty() ? 0 : 1;
}
