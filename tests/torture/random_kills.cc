// SPDX-License-Identifier: BSD-3-Clause
// random_kills.cc - SIGKILL at random moments.
//
// In each round a handful of processes of all kinds talk at full speed; victims are picked whatever they are doing, be it attaching. After
// each blow the survivors are told of it and go on hearing each other, and a new process takes the empty place. At the end of the round
// all of its records, the victims' too, go before the referee. Rounds are short so that memory is; slots are reused many times in each.
#include <time.h>

#include <algorithm>

#include "tests/torture/scenarios.h"

namespace evs::torture {

namespace {

constexpr size_t kCast = 6;
constexpr uint64_t kKillsOfARound = 40;

Plan some_plan(Dice& dice) {
  Plan plan;
  plan.threads = static_cast<uint32_t>(dice.between(1, 3));
  plan.toggle = dice.one_in(3);
  plan.second = dice.one_in(3);
  plan.slow_us = dice.one_in(4) ? 100 : 0;
  plan.think_us = dice.one_in(2) ? 200 : 1000;
  if (dice.one_in(8)) {  // only sends
    plan.dispatch = plan.toggle = plan.second = false;
    plan.groups = 0;
  } else if (dice.one_in(8)) {
    plan.churn = true;
    plan.toggle = plan.second = false;
  }
  return plan;
}

void wait_a_little(Dice& dice) {
  // Any instruction may be the one: from none to half a millisecond of whatever they do.
  const timespec t{0, static_cast<long>(dice.below(500)) * 1000};
  nanosleep(&t, nullptr);
}

// One who reads is always there, or nobody could tell the others' story; but when all die there is a new ring to begin with.
void fill_up(Stage& stage) {
  while (stage.living().size() < kCast) {
    const bool readers_short = stage.readers().size() < 2;
    stage.spawn(readers_short ? Plan{} : some_plan(stage.dice()));
  }
}

std::vector<Player*> pick_victims(Stage& stage) {
  Dice& dice = stage.dice();
  std::vector<Player*> living = stage.living();
  if (dice.one_in(25)) return living;
  std::vector<Player*> joined_readers;
  for (Player* reader : stage.readers())
    if (reader->front().joined.load() != 0) joined_readers.push_back(reader);
  const Player* spared = joined_readers.empty() ? living[0] : joined_readers[dice.below(joined_readers.size())];
  const size_t count = dice.one_in(5) ? dice.between(2, 3) : 1;
  std::vector<Player*> victims;
  while (victims.size() < count) {
    Player* one = living[dice.below(living.size())];
    if (one != spared && std::find(victims.begin(), victims.end(), one) == victims.end()) victims.push_back(one);
  }
  return victims;
}

void play_round(uint64_t seed, uint64_t kills, Totals& totals) {
  Settings settings;
  settings.max_processes = 12;  // scarce: slots are reused
  Stage stage(seed, settings, totals);
  Dice& dice = stage.dice();
  const uint64_t goal = totals.kills + kills;
  fill_up(stage);
  while (totals.kills < goal) {
    if (!dice.one_in(4)) stage.until_progress(dice.below(400));
    wait_a_little(dice);
    const std::vector<Player*> victims = pick_victims(stage);
    std::vector<pid_t> pids;
    for (const Player* victim : victims) pids.push_back(victim->pid);
    stage.kill(victims);
    if (dice.one_in(2)) stage.until_gone(pids);  // else the next blow falls while they are at it
    fill_up(stage);
    if (dice.one_in(4)) stage.until_joined(*stage.living().back());
  }
  stage.settle(Rules{});
  stage.leave();
}

}  // namespace

void random_kills(Run& run) {
  const uint64_t goal = run.kills != 0 ? run.kills : run.is_long ? 10'000 : 200;
  for (uint64_t round = 0; run.totals.kills < goal; ++round) {
    // A round is replayed alone: with the seed that it says, and --kills=40.
    const uint64_t seed = run.seed + round;
    try {
      play_round(seed, std::min(kKillsOfARound, goal - run.totals.kills), run.totals);
    } catch (const Failure& failure) {
      throw Failure("round of --seed=" + std::to_string(seed) + " --kills=" + std::to_string(kKillsOfARound) + ": " + failure.what());
    }
    say_progress(run, "kills", run.totals.kills, goal);
  }
}

}  // namespace evs::torture
