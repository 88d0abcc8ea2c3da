// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/main.cc - evs-ring-sim: seeds in, violations out.
//
//   evs-ring-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--shrink] [--keep-going] [--late] [--waylaid] [--processes] [--quorum] [--require-all] [--soak=DIR]
//                [--mutant=NAME --expect=P,P [--events=N]]
//   evs-ring-sim --seed=N --traces=DIR       the run's traces, for evs verify
//   evs-ring-sim --calm --hosts=N            N hosts form one ring and deliver
//   evs-ring-sim --nuisance=flaps|deaf|mute|half|stopped  one host is a nuisance all the time: the others must get on
//   evs-ring-sim --silent-merge              two rings that have nothing to say find together
//
// --seed plays one run and, with --tell, tells it as a timeline. --shrink makes the first bad run small and tells that. --require-all: a rare
// branch that no run took is a failure. --soak goes on where the last one in DIR stopped, and adds up. --mutant leaves a rule out (in the build
// for tests alone): the first bad run must then violate one of the predicates expected (with --keep-going, some run must); L stands for a run that does not come to rest. With --shrink and
// --events, it must then shrink to at most so many events.
// Exit status: 0 all runs were good, or the mutant was caught as expected; 1 not so; 2 usage.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "bus/ordering/mutant.h"
#include "tests/sim/ring/live.h"
#include "tests/sim/ring/shrink.h"
#include "tests/sim/ring/soak.h"
#include "tools/verify/trace_text.h"

namespace {

using evs::ordering::Mutant;
using namespace evs::sim;

constexpr const char* kMutants[] = {"none", "safe-on-one-visit", "no-obligations", "direct-obligations", "companions-by-name", "no-freeze",
                                    "duplicate-is-progress", "ask-for-the-unsent", "ask-up-to-highest-held", "partial-goes-on",
                                    "failed-us-is-heard", "no-probe", "no-early-step", "most-delivered-ignored", "one-visit-install",
                                    "no-barrier", "barrier-on-one-visit", "ring-sequence-lost", "stamps-stored-late", "received-not-stored",
                                    "obligations-not-stored", "ending-not-stored", "told-again", "uninstalled-promised", "window-outrun", "stalled-stays",
                                    "transition-not-saved", "told-table-not-saved", "try-not-stored", "tries-ignored", "try-stored-late",
                                    "formed-not-stored", "votes-not-awaited", "epoch-reused", "disk-keeps-its-number", "standing-not-saved", "votes-not-saved",
                                    "try-of-another-disk", "held-twice"};
static_assert(std::size(kMutants) == static_cast<size_t>(Mutant::ordered_safe_at_once));  // those behind are tests/sim/ordered's
constexpr uint64_t kSaveEvery = 200;  // runs of a soak

constexpr const char* kUsage =
    "usage: evs-ring-sim [--from=N] [--seeds=N] [--seed=N] [--tell] [--shrink] [--keep-going] [--late] [--waylaid] [--processes] [--quorum] [--require-all]\n"
    "                    [--soak=DIR] [--mutant=NAME --expect=P,P [--events=N]]\n"
    "       evs-ring-sim --seed=N --traces=DIR     writes the run's traces there, for evs verify\n"
    "       evs-ring-sim --calm --hosts=N | --nuisance=flaps|deaf|mute|half|stopped | --silent-merge\n"
    "  --seed=N --tell   plays one run as a timeline; --shrink makes the first bad one small, and tells that\n"
    "  --seeds=N         so many runs, from --from=N on; with --soak=DIR so many more, behind those that DIR has seen (--from counts for the first alone)\n"
    "  --late --waylaid --processes   packets that outlive their ring, failures within recoveries, or processes that come and go, in every run\n"
    "  --quorum          with processes, and hosts that vote for one primary ring at a time; crashes keep the disk, and some lose it\n"
    "  --require-all     a rare branch that no run took is a failure (bus/ordering/rare.h)\n"
    "  --mutant=NAME     leaves a rule out (evs-ring-sim-mutants alone); a run must then violate one of the predicates expected; L: it does not come to rest\n"
    "exit status: 0 all runs were good, or the mutant was caught as expected; 1 not so; 2 usage\n";

struct Wishes {
  uint64_t from = 1, seeds = 1000, one = 0, hosts = 64, events = UINT64_MAX;
  bool tell = false, keep_going = false, late = false, waylaid = false, processes = false, quorum = false, shrink = false, require_all = false, calm = false, silent_merge = false;
  std::string mutant, expect, soak, nuisance, traces;
};

unsigned long long u(uint64_t n) { return n; }

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

bool flag(const char* argument, const char* name, bool& out) {
  out |= strcmp(argument, name) == 0;
  return strcmp(argument, name) == 0;
}

bool read(Wishes& w, const char* a) {
  return flag(a, "--tell", w.tell) || flag(a, "--keep-going", w.keep_going) || flag(a, "--late", w.late) || flag(a, "--waylaid", w.waylaid) || flag(a, "--processes", w.processes) || flag(a, "--quorum", w.quorum) ||
          flag(a, "--shrink", w.shrink) ||
         flag(a, "--require-all", w.require_all) || flag(a, "--calm", w.calm) || flag(a, "--silent-merge", w.silent_merge) ||
         number(a, "--from=", w.from) || number(a, "--seeds=", w.seeds) || number(a, "--seed=", w.one) || number(a, "--hosts=", w.hosts) ||
         number(a, "--events=", w.events) || text(a, "--mutant=", w.mutant) || text(a, "--expect=", w.expect) || text(a, "--soak=", w.soak) ||
         text(a, "--nuisance=", w.nuisance) || text(a, "--traces=", w.traces);
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

Plan plan_of(const Wishes& wishes, uint64_t seed) {
  Plan plan = Plan::draw(seed);
  if (wishes.processes) plan.make_processes();
  if (wishes.quorum) plan.make_quorum();
  if (wishes.late) plan.make_late();
  if (wishes.waylaid) plan.make_waylaid();
  return plan;
}

void print_findings(const Outcome& outcome) {
  if (!outcome.unfinished.empty()) printf("  %s\n", outcome.unfinished.c_str());
  for (const auto& violation : outcome.violations) printf("%s", evs::verify::to_text(violation).c_str());
}

Outcome tell(const Plan& plan, const Script& script) {
  Story story;
  Cluster cluster(plan, script, &story);
  const Outcome outcome = cluster.run();
  printf("%s", story.tell(cluster.traces(), outcome.violations).c_str());
  return outcome;
}

bool write_traces(const evs::verify::Run& run, const std::string& directory) {
  for (const evs::verify::Trace& trace : run.traces) {
    const std::string path = directory + "/" + evs::verify::text_of(trace.process) + ".trace";
    const std::string text = evs::verify::trace_text(run, trace);
    FILE* const file = fopen(path.c_str(), "w");
    const bool written = file != nullptr && fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file == nullptr || fclose(file) != 0 || !written) {
      fprintf(stderr, "evs-ring-sim: cannot write %s: does the directory exist?\n", path.c_str());
      return false;
    }
  }
  return true;
}

// The run has come to rest at its end, so `evs verify --quiescent` asks what we ask.
Outcome play(const Plan& plan, const std::string& traces) {
  Cluster cluster(plan, draw_script(plan));
  Outcome outcome = cluster.run();
  if (!traces.empty() && !write_traces(cluster.traces(), traces)) exit(2);
  return outcome;
}

// How many events it still takes.
size_t shrink_and_tell(const Plan& plan, const std::string& predicate) {
  const Script script = draw_script(plan);
  const Small small = shrink(plan, script, predicate);
  printf("shrunk to %zu of %zu events, in %u runs, still violating %s\n%s\n", small.script.size(), script.size(), small.runs, predicate.c_str(),
         small.plan.text().c_str());
  for (const Event& event : small.script) {
    constexpr const char* kStages[] = {"", "then ", "at rest "};
    printf("  %10.3f ms  %s%s\n", static_cast<double>(event.at.ns) / 1e6, kStages[static_cast<size_t>(event.stage)], text_of(event).c_str());
  }
  printf("as it went:\n");
  print_findings(tell(small.plan, small.script));
  return small.script.size();
}

int judge_mutant(const Wishes& wishes, const Plan& plan, const Outcome& outcome, uint64_t runs) {
  const bool caught = outcome.violates(wishes.expect);
  printf("%s: %s by %s, in run %llu\n", wishes.mutant.c_str(), caught ? "caught" : "not caught", wishes.expect.c_str(), u(runs));
  if (!caught || !wishes.shrink) return caught ? 0 : 1;
  const std::string all = outcome.violates(wishes.expect) ? wishes.expect : outcome.first();
  return shrink_and_tell(plan, all) <= wishes.events ? 0 : 1;
}

int search(const Wishes& wishes, Counts& sum, uint64_t from, Soak* soak) {
  const time_t began = time(nullptr);
  const uint64_t seconds_before = sum["run.seconds"];
  std::string problem;
  uint64_t runs = 0;
  for (uint64_t seed = from; seed < from + wishes.seeds; ++seed) {
    const Plan plan = plan_of(wishes, seed);
    if (wishes.tell) printf("%s\n", plan.text().c_str());
    const Outcome outcome = wishes.tell ? tell(plan, draw_script(plan)) : play(plan, wishes.traces);
    add(sum, outcome.counts);
    ++runs;
    sum["run.seconds"] = seconds_before + static_cast<uint64_t>(time(nullptr) - began);
    if (soak != nullptr) soak->next_seed = seed + 1;
    if (soak != nullptr && (runs % kSaveEvery == 0 || runs == wishes.seeds) && !soak->save(problem)) {
      fprintf(stderr, "evs-ring-sim: %s\n", problem.c_str());
      return 2;
    }
    sum["run.bad"] += !outcome.good();
    if (outcome.good()) continue;
    printf("%s\n", plan.text().c_str());
    print_findings(outcome);
    if (!wishes.expect.empty() && (outcome.violates(wishes.expect) || !wishes.keep_going)) return judge_mutant(wishes, plan, outcome, runs);
    if (wishes.shrink) shrink_and_tell(plan, outcome.first());
    if (!wishes.keep_going && soak == nullptr) break;
  }
  printf("%s", text_of(sum).c_str());
  int status = sum["run.bad"] == 0 && wishes.expect.empty() ? 0 : 1;
  if (wishes.require_all)
    for (const std::string& name : never_taken(sum)) {
      printf("never taken: %s\n", name.c_str());
      status = 1;
    }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  Wishes wishes;
  for (int i = 1; i < argc; ++i)
    if (!read(wishes, argv[i])) {
      const bool help = strcmp(argv[i], "--help") == 0;
      if (!help) fprintf(stderr, "evs-ring-sim: unknown option %s\n", argv[i]);
      fprintf(help ? stdout : stderr, "%s", kUsage);
      return help ? 0 : 2;
    }
  if (!plant(wishes.mutant)) {
    fprintf(stderr, "evs-ring-sim: no mutant %s in this build; evs-ring-sim-mutants has", wishes.mutant.c_str());
    for (const char* name : kMutants) fprintf(stderr, " %s", name);
    fprintf(stderr, "\n");
    return 2;
  }
  if (wishes.calm) return form(static_cast<uint32_t>(wishes.hosts)) ? 0 : 1;
  if (wishes.silent_merge) return silent_merge() == wishes.expect.empty() ? 0 : 1;
  if (!wishes.nuisance.empty()) return live_with(wishes.nuisance) == wishes.expect.empty() ? 0 : 1;
  if (wishes.one != 0) {
    wishes.from = wishes.one;
    wishes.seeds = 1;
  }
  if (wishes.soak.empty()) {
    Counts sum;
    return search(wishes, sum, wishes.from, nullptr);
  }
  Soak soak(wishes.soak);
  std::string problem;
  if (!soak.load(problem)) {
    fprintf(stderr, "evs-ring-sim: %s\n", problem.c_str());
    return 2;
  }
  return search(wishes, soak.sum, soak.next_seed == 0 ? wishes.from : soak.next_seed, &soak);
}
