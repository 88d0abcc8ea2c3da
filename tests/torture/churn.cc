// SPDX-License-Identifier: BSD-3-Clause
// churn.cc - killed while attaching and detaching.
//
// Processes that do little else than open the bus, say one thing and close it are killed at random; two that stay watch and talk. With as few
// places as there are, each is taken again and again, in all states that a death can leave it in.
#include <time.h>

#include <algorithm>

#include "tests/torture/scenarios.h"

namespace evs::torture {

void churn(Run& run) {
  const uint64_t goal = run.kills != 0 ? run.kills : run.is_long ? 3000 : 100;
  constexpr uint64_t kKillsOfARound = 50;
  for (uint64_t round = 0; run.totals.kills < goal; ++round) {
    Settings settings;
    settings.max_processes = 8;
    Stage stage(run.seed + round, settings, run.totals);
    Dice& dice = stage.dice();
    Plan stays;
    stays.think_us = 2000;
    stage.spawn_and_join(stays);
    stage.spawn_and_join(stays);
    Plan plan;
    plan.churn = true;
    std::vector<Player*> churning;
    for (int i = 0; i < 3; ++i) churning.push_back(&stage.spawn(plan));
    const uint64_t until = std::min(goal, run.totals.kills + kKillsOfARound);
    while (run.totals.kills < until) {
      Player*& victim = churning[dice.below(churning.size())];
      // Some are killed in their first steps, some after a few lives.
      const uint32_t lives = static_cast<uint32_t>(dice.below(4));
      stage.until("a process that opens and closes to do so", [&] { return victim->front().lives.load() >= lives; });
      const timespec t{0, static_cast<long>(dice.below(8000)) * 1000};
      nanosleep(&t, nullptr);
      stage.kill(*victim);
      if (dice.one_in(3)) stage.until_gone({victim->pid});
      victim = &stage.spawn(plan);
    }
    stage.settle(Rules{});
    stage.leave();
    say_progress(run, "kills", run.totals.kills, goal);
  }
}

}  // namespace evs::torture
