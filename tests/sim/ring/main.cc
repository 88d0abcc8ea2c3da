// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/main.cc - evs-ring-sim: seeds in, violations out.
//
//   evs-ring-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--keep-going] [--late] [--processes] [--mutant=NAME --expect=P,P]
//
// --seed plays one run and, with --tell, its faults as a timeline. --mutant leaves a rule out (in the build for tests alone): the first bad run
// must then violate one of the predicates expected; L stands for a run that does not come to rest.
// Exit status: 0 all runs were good, or the mutant was caught as expected; 1 not so; 2 usage.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "bus/ordering/mutant.h"
#include "tests/sim/ring/cluster.h"

namespace {

using evs::ordering::Mutant;
using evs::sim::Outcome;

constexpr const char* kMutants[] = {"none", "safe-on-one-visit", "no-obligations", "direct-obligations", "companions-by-name", "no-freeze",
                                    "duplicate-is-progress", "ask-for-the-unsent", "ask-up-to-highest-held", "partial-goes-on",
                                    "failed-us-is-heard", "no-probe", "no-early-step", "most-delivered-ignored", "one-visit-install", "no-barrier",
                                    "barrier-on-one-visit"};
static_assert(std::size(kMutants) == static_cast<size_t>(Mutant::ordered_safe_at_once));  // those behind are tests/sim/ordered's

struct Wishes {
  uint64_t from = 1, seeds = 1000, one = 0;
  bool tell = false, keep_going = false, late = false, processes = false;
  std::string mutant, expect;
};

bool number(const char* argument, const char* name, uint64_t& out) {
  const size_t n = strlen(name);
  if (strncmp(argument, name, n) != 0) return false;
  char* end = nullptr;
  out = strtoull(argument + n, &end, 10);
  return *end == '\0' && argument[n] != '\0';
}

bool text(const char* argument, const char* name, std::string& out) {
  const size_t n = strlen(name);
  if (strncmp(argument, name, n) != 0) return false;
  out = argument + n;
  return !out.empty();
}

bool plant(const std::string& name) {
#ifdef EVS_ORDERING_MUTANTS
  for (size_t i = 0; i < std::size(kMutants); ++i)
    if (name == kMutants[i]) {
      evs::ordering::g_mutant = static_cast<Mutant>(i);
      return true;
    }
#endif
  return name.empty();
}

// Is one of the expected predicates among those that the run violates?
bool as_expected(const std::string& expect, const Outcome& outcome) {
  const std::string list = "," + expect + ",";
  if (!outcome.unfinished.empty() && list.find(",L,") != std::string::npos) return true;
  for (const auto& violation : outcome.violations)
    if (list.find("," + violation.predicate + ",") != std::string::npos) return true;
  return false;
}

void tell_of(const evs::sim::Plan& plan, const Outcome& outcome) {
  printf("%s\n", plan.text().c_str());
  if (!outcome.unfinished.empty()) printf("  %s\n", outcome.unfinished.c_str());
  for (const auto& violation : outcome.violations) printf("%s", evs::verify::to_text(violation).c_str());
}

void add(Outcome& sum, const Outcome& outcome) {
  sum.submitted += outcome.submitted;
  sum.delivered += outcome.delivered;
  sum.configurations += outcome.configurations;
  sum.faults += outcome.faults;
  sum.packets += outcome.packets;
  sum.changes += outcome.changes;
  for (size_t i = 0; i < sum.reasons.size(); ++i) sum.reasons[i] += outcome.reasons[i];
}

void print(const Outcome& sum, uint64_t runs, uint64_t bad) {
  const auto u = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  printf("%llu runs, %llu bad; %llu messages, %llu deliveries, %llu configurations, %llu faults, %llu packets\n", u(runs), u(bad),
         u(sum.submitted), u(sum.delivered), u(sum.configurations), u(sum.faults), u(sum.packets));
  if (sum.changes != 0) printf("%llu changes of processes\n", u(sum.changes));
  constexpr const char* kReasons[] = {"started", "token lost", "foreign ring", "join heard", "cannot receive", "consensus missed", "commit lost",
                                      "recovery lost", "recovery too long"};
  static_assert(std::size(kReasons) == static_cast<size_t>(evs::ordering::Why::count_));
  printf("gathered, by those who lived to the end, because:");
  for (size_t i = 0; i < std::size(kReasons); ++i) printf("%s %s %llu", i == 0 ? "" : ",", kReasons[i], u(sum.reasons[i]));
  printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  Wishes wishes;
  for (int i = 1; i < argc; ++i) {
    const char* a = argv[i];
    if (strcmp(a, "--tell") == 0) wishes.tell = true;
    else if (strcmp(a, "--keep-going") == 0) wishes.keep_going = true;
    else if (strcmp(a, "--processes") == 0) wishes.processes = true;
    else if (strcmp(a, "--late") == 0) wishes.late = true;
    else if (!number(a, "--from=", wishes.from) && !number(a, "--seeds=", wishes.seeds) && !number(a, "--seed=", wishes.one) &&
             !text(a, "--mutant=", wishes.mutant) && !text(a, "--expect=", wishes.expect)) {
      fprintf(stderr, "evs-ring-sim: %s? See the head of tests/sim/ring/main.cc\n", a);
      return 2;
    }
  }
  if (!plant(wishes.mutant)) {
    fprintf(stderr, "evs-ring-sim: no mutant %s in this build\n", wishes.mutant.c_str());
    return 2;
  }
  if (wishes.one != 0) {
    wishes.from = wishes.one;
    wishes.seeds = 1;
  }
  Outcome sum;
  uint64_t runs = 0, bad = 0;
  for (uint64_t seed = wishes.from; seed < wishes.from + wishes.seeds; ++seed) {
    evs::sim::Plan plan = evs::sim::Plan::draw(seed);
    if (wishes.processes) plan.make_processes();
    if (wishes.late) plan.make_late();
    if (wishes.tell) printf("%s\n", plan.text().c_str());
    evs::sim::Cluster cluster(plan, wishes.tell);
    const Outcome outcome = cluster.run();
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
  print(sum, runs, bad);
  return bad == 0 && wishes.expect.empty() ? 0 : 1;
}
