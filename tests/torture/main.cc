// SPDX-License-Identifier: BSD-3-Clause
// main.cc - evs-torture SCENARIO [--seed=N] [--kills=N] [--point=NAME] [--long]
//
// Prints its seed first, so that a run that hangs or is killed can be told of too, and its figures last. With the same seed the same dice
// fall; what the kernel makes of it may differ. Exit status 0: nothing was found wrong.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <random>

#include "tests/torture/scenarios.h"

namespace evs::torture {
namespace {

struct Scenario {
  const char* name;
  void (*play)(Run&);
  const char* about;
};
constexpr Scenario kScenarios[] = {
    {"random_kills", random_kills, "SIGKILL at random moments"},
    {"crash_points", crash_points, "death at each injected crash point"},
    {"stops", stops, "SIGSTOP and SIGCONT, expulsion and rejoin"},
    {"stopped_in_claim", stopped_in_claim, "a claim whose owner stands"},
    {"expelled_in_send", expelled_in_send, "a send that ends after an expulsion"},
    {"exec", exec, "exec'd processes"},
    {"slow_readers", slow_readers, "readers that lag behind"},
    {"full_ring", full_ring, "TRY_AGAIN and the room callback"},
    {"only_sends", only_sends, "ten laps by a process that does not read"},
    {"sleepers", sleepers, "only the addressed one wakes"},
    {"churn", churn, "killed while attaching and detaching"},
};

int usage() {
  fprintf(stderr, "usage: evs-torture SCENARIO [--seed=N] [--kills=N] [--point=NAME] [--long]\n");
  for (const Scenario& s : kScenarios) fprintf(stderr, "  %-17s %s\n", s.name, s.about);
  return 2;
}

int play(const Scenario& scenario, Run run) {
  printf("%s: seed %llu\n", scenario.name, static_cast<unsigned long long>(run.seed));
  fflush(stdout);
  const double start = seconds_now();
  int status = 0;
  try {
    scenario.play(run);
  } catch (const std::exception& e) {
    fprintf(stderr, "%s, seed %llu: FAILED: %s\n", scenario.name, static_cast<unsigned long long>(run.seed), e.what());
    status = 1;
  }
  const Totals& t = run.totals;
  const auto n = [](uint64_t v) { return static_cast<unsigned long long>(v); };
  printf("%s: %llu kills, %llu processes, %llu messages (%llu bytes), %llu deliveries, %llu configurations, %llu expulsions, %llu laps, %.1f s\n",
         scenario.name, n(t.kills), n(t.processes), n(t.messages), n(t.bytes), n(t.deliveries), n(t.configurations), n(t.expulsions), n(t.laps),
         seconds_now() - start);
  if (!run.remark.empty()) printf("%s\n", run.remark.c_str());
  return status;
}

}  // namespace

void say_progress(const Run&, const char* what, uint64_t done, uint64_t of) {
  static double last = 0;
  if (!isatty(2) || seconds_now() - last < 2) return;
  last = seconds_now();
  fprintf(stderr, "  %llu of %llu %s\n", static_cast<unsigned long long>(done), static_cast<unsigned long long>(of), what);
}

}  // namespace evs::torture

int main(int argc, char** argv) {
  using namespace evs::torture;
  signal(SIGPIPE, SIG_IGN);  // a victim's pipe
  Run run;
  const char* asked = getenv("EVS_TORTURE_SEED");
  run.seed = asked != nullptr ? strtoull(asked, nullptr, 0) : std::random_device()();
  const Scenario* scenario = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--seed=", 0) == 0) run.seed = strtoull(word.c_str() + 7, nullptr, 0);
    else if (word.rfind("--kills=", 0) == 0) run.kills = strtoull(word.c_str() + 8, nullptr, 0);
    else if (word.rfind("--point=", 0) == 0) run.only = word.substr(8);
    else if (word == "--long") run.is_long = true;
    else
      for (const Scenario& s : kScenarios)
        if (word == s.name) scenario = &s;
  }
  return scenario == nullptr ? usage() : play(*scenario, run);
}
