// SPDX-License-Identifier: BSD-3-Clause
// shm/model/main.cc - evs-ring-model: run the correct rules and expect no violation, or a mutant and expect one.
//
//   evs-ring-model                          all instances, then all mutants
//   evs-ring-model --instance=claim         one instance
//   evs-ring-model --mutant=skip-first      one rule left out; the shortest story it allows; exit 0 if it was found
//   evs-ring-model --roam=roam --seed=7     random runs of a world too large to visit whole; the seed replays
//   evs-ring-model --instance=views         the published views, word by word (views.h)
//   evs-ring-model --instance=takeover      the gateway's pin and its successor (takeover.h)
//   --long                                  the larger instances too     --states=N  visit the first N states only     --runs=N
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "shm/model/checker.h"
#include "shm/model/takeover.h"
#include "shm/model/views.h"

namespace evs::shm::model {
namespace {

struct Options {
  std::string instance, mutant, roam;
  bool long_run = false;
  Limits limits;
};

void print_story(const Verdict& verdict) {
  for (size_t at = 0; at < verdict.story.size(); ++at) printf("    %3zu  %s\n", at + 1, verdict.story[at].c_str());
  printf("  => %s\n", verdict.violation.c_str());
}

bool expect_none(const Instance& world, const Limits& limits, bool roaming) {
  const Model model{&world, Mutant::none, true};
  const Verdict verdict = roaming ? roam(model, limits) : explore(model, limits);
  const bool good = verdict.violation.empty() && (verdict.complete || limits.partly) && (roaming || verdict.pruned == 0);
  printf("%-16s %s: %llu %s, %llu steps, depth %llu, %llu finished, %llu held by a stopped one, %llu cut%s\n",
         std::string(world.name).c_str(), good ? "holds" : "FAILS", static_cast<unsigned long long>(verdict.states),
         roaming ? "runs" : "states", static_cast<unsigned long long>(roaming ? verdict.steps : verdict.edges),
         static_cast<unsigned long long>(verdict.depth), static_cast<unsigned long long>(verdict.finished),
         static_cast<unsigned long long>(verdict.held), static_cast<unsigned long long>(verdict.pruned),
         verdict.complete ? "" : " (stopped there: not all of its states)");
  if (!verdict.violation.empty()) {
    if (roaming) printf("  seed %llu\n", static_cast<unsigned long long>(verdict.seed));
    print_story(verdict);
  }
  fflush(stdout);
  return good;
}

bool expect_found(const MutantText& text, const Instance& world, const Limits& limits) {
  const Model model{&world, text.mutant, false};
  const bool roaming = world.name.starts_with("roam");
  const Verdict verdict = roaming ? roam(model, limits) : explore(model, limits);
  const bool found = !verdict.violation.empty();
  printf("%-26s (%s) %s in %s after %llu %s, %zu steps: %s\n", std::string(text.name).c_str(),
         std::string(text.rule).c_str(), found ? "found" : "NOT FOUND", std::string(world.name).c_str(),
         static_cast<unsigned long long>(verdict.states), roaming ? "runs" : "states", verdict.story.size(),
         found ? verdict.violation.c_str() : std::string(text.what).c_str());
  fflush(stdout);
  if (found && roaming) printf("  seed %llu\n", static_cast<unsigned long long>(verdict.seed));
  if (found) print_story(verdict);
  return found;
}

bool expect_small(const Verdict& verdict, bool holds, std::string_view name) {
  const bool found = !verdict.violation.empty();
  const bool good = found == !holds;
  printf("%-26s %s: %llu states, %llu steps\n", std::string(name).c_str(),
         found ? "found" : holds ? "holds" : "NOT FOUND", static_cast<unsigned long long>(verdict.states),
         static_cast<unsigned long long>(verdict.edges));
  if (found) print_story(verdict);
  return good;
}

bool expect_views(ViewFault fault, std::string_view name) { return expect_small(explore_views(fault), fault == ViewFault::none, name); }
bool expect_takeover(TakeoverFault fault, std::string_view name) {
  return expect_small(explore_takeover(fault), fault == TakeoverFault::none, name);
}

bool value(const char* argument, const char* name, std::string& into) {
  const size_t length = std::strlen(name);
  if (std::strncmp(argument, name, length) != 0) return false;
  into = argument + length;
  return true;
}

int usage(const char* wrong) {
  fprintf(stderr, "evs-ring-model: %s; see the head of shm/model/main.cc\n", wrong);
  return 2;
}

bool parse(int count, char** arguments, Options& options) {
  for (int at = 1; at < count; ++at) {
    std::string number;
    const char* argument = arguments[at];
    if (value(argument, "--instance=", options.instance) || value(argument, "--mutant=", options.mutant) ||
        value(argument, "--roam=", options.roam)) {
      continue;
    }
    if (value(argument, "--seed=", number)) {
      options.limits.seed = std::strtoull(number.c_str(), nullptr, 10);
    } else if (value(argument, "--runs=", number)) {
      options.limits.runs = std::strtoull(number.c_str(), nullptr, 10);
    } else if (value(argument, "--states=", number)) {
      options.limits.states = std::strtoull(number.c_str(), nullptr, 10);
      options.limits.partly = true;
    } else if (std::strcmp(argument, "--long") == 0) {
      options.long_run = true;
    } else {
      return false;
    }
  }
  return true;
}

int run(const Options& options) {
  for (const ViewFaultText& text : view_faults()) {
    if (options.mutant == text.name) return expect_views(text.fault, text.name) ? 0 : 1;
  }
  for (const TakeoverFaultText& text : takeover_faults()) {
    if (options.mutant == text.name) return expect_takeover(text.fault, text.name) ? 0 : 1;
  }
  if (options.instance == "takeover") return expect_takeover(TakeoverFault::none, "takeover") ? 0 : 1;
  if (options.instance == "views") return expect_views(ViewFault::none, "views") ? 0 : 1;
  if (!options.mutant.empty()) {
    const MutantText* text = find_mutant(options.mutant);
    if (text == nullptr) return usage("no such mutant");
    const Instance* world = find_instance(options.instance.empty() ? text->instance : options.instance);
    if (world == nullptr) return usage("no such instance");
    return expect_found(*text, *world, options.limits) ? 0 : 1;
  }
  if (!options.instance.empty() || !options.roam.empty()) {
    const Instance* world = find_instance(options.instance.empty() ? options.roam : options.instance);
    if (world == nullptr) return usage("no such instance");
    return expect_none(*world, options.limits, options.instance.empty()) ? 0 : 1;
  }
  bool good = expect_views(ViewFault::none, "views");
  good &= expect_takeover(TakeoverFault::none, "takeover");
  for (const Instance& world : instances()) good &= expect_none(world, options.limits, false);
  for (const Instance& world : roaming_instances()) good &= expect_none(world, options.limits, true);
  if (options.long_run) {
    for (const Instance& world : long_instances()) good &= expect_none(world, options.limits, false);
  }
  for (const ViewFaultText& text : view_faults()) good &= expect_views(text.fault, text.name);
  for (const TakeoverFaultText& text : takeover_faults()) good &= expect_takeover(text.fault, text.name);
  for (const MutantText& text : mutants()) good &= expect_found(text, *find_instance(text.instance), options.limits);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace evs::shm::model

int main(int count, char** arguments) {
  evs::shm::model::Options options;
  if (!evs::shm::model::parse(count, arguments, options)) return evs::shm::model::usage("unknown argument");
  return evs::shm::model::run(options);
}
