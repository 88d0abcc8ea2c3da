// SPDX-License-Identifier: BSD-3-Clause
// stops.cc - stopped is not dead.
//
// slow_reader_timeout is 300 ms here. Processes are stopped and continued at random: for a moment, or until the others were told that they
// left, or killed as they stand. Who was expelled must have been told of the lonely configuration and then of one with a new nodeid; the
// rest must not notice more than two configurations. On a busy machine somebody may be expelled who was merely not scheduled: the referee
// judges that like the rest.
#include <time.h>

#include <algorithm>

#include "shm/death.h"
#include "tests/torture/scenarios.h"

namespace evs::torture {

namespace {

void nap(Dice& dice, uint64_t most_us) {
  const timespec t{0, static_cast<long>(dice.below(most_us)) * 1000};
  nanosleep(&t, nullptr);
}

Plan brief_plan(Dice& dice) {
  Plan plan;
  plan.threads = static_cast<uint32_t>(dice.between(1, 3));
  plan.toggle = dice.one_in(3);
  plan.second = dice.one_in(3);
  plan.think_us = 400;
  return plan;
}

// Longer than the timeout: it is expelled, and rejoins when it goes on. False when it stands in a claim: then nobody may pass it.
void stop_until_expelled(Stage& stage, Player& victim) {
  const uint32_t before = victim.front().expulsions.load();
  stage.stop(victim);
  const auto expelled = [&] {
    for (Player* reader : stage.readers())
      if (reader->knows(victim.pid)) return false;
    return true;
  };
  if (!stage.until_or(expelled, 10)) {
    shm::Snapshot seen;
    if (!stage.snapshot(seen)) throw Failure("no segment");
    const bool in_claim = std::any_of(seen.members.begin(), seen.members.end(),
                                      [&](const shm::MemberSnapshot& m) { return m.pid == victim.pid && m.in_claim; });
    if (!in_claim) throw Failure("writer " + std::to_string(victim.writer) + " is stopped outside of a claim, and is not expelled\n" + stage.describe());
    stage.resume(victim);
    return;
  }
  // Without it the others go on.
  stage.until_progress(100);
  stage.resume(victim);
  stage.until("the expelled writer " + std::to_string(victim.writer) + " (pid " + std::to_string(victim.pid) + ") to hear of it and be back", [&] {
    if (victim.front().expulsions.load() <= before) return false;
    const auto all = stage.readers();
    return std::all_of(all.begin(), all.end(), [&](Player* reader) { return reader->knows(victim.pid); });
  });
}

}  // namespace

void stops(Run& run) {
  const uint64_t rounds = run.is_long ? 100 : 6, acts = 12;
  for (uint64_t round = 0; round < rounds; ++round) {
    Settings settings;
    settings.slow_reader_timeout = "300ms";
    Stage stage(run.seed + round, settings, run.totals);
    Dice& dice = stage.dice();
    for (int i = 0; i < 4; ++i) stage.spawn_and_join(brief_plan(dice));
    for (uint64_t act = 0; act < acts; ++act) {
      stage.until_progress(dice.below(300));
      nap(dice, 500);
      const auto living = stage.living();
      Player& victim = *living[dice.below(living.size())];
      switch (dice.below(6)) {
        case 0:
          stop_until_expelled(stage, victim);
          break;
        case 1: {  // killed as it stands
          stage.stop(victim);
          nap(dice, 400'000);
          stage.kill(victim);
          stage.until_gone({victim.pid});
          stage.spawn_and_join(brief_plan(dice));
          break;
        }
        case 2: {  // several at a time
          Player& other = *living[dice.below(living.size())];
          stage.stop(victim);
          if (&other != &victim) stage.stop(other);
          nap(dice, 500'000);
          stage.resume(victim);
          if (&other != &victim) stage.resume(other);
          break;
        }
        default:
          stage.stop(victim);
          nap(dice, 20'000);
          stage.resume(victim);
      }
    }
    Rules rules;
    rules.expulsions = true;
    stage.settle(rules);
    stage.leave();
    say_progress(run, "rounds", round + 1, rounds);
  }
}

// Stopped exactly between claim and commit, by the crash points: three timeouts long nobody reuses, fills or laps its place, and when it goes
// on its message is there, whole. Killed as it stands, its place is padded.
void stopped_in_claim(Run& run) {
  uint64_t story = 0;
  for (const char* point : {"claim.won", "claim.owner", "write.payload", "write.groups", "write.header"}) {
    for (const bool dies : {false, true}) {
      Settings settings;
      settings.slow_reader_timeout = "300ms";
      Stage stage(run.seed + story++, settings, run.totals);
      Plan plan;
      plan.think_us = 500;
      Player& one = stage.spawn_and_join(plan);
      stage.spawn_and_join(plan);
      Plan stands;
      stands.crash_at = std::string(point) + ":" + std::to_string(stage.dice().between(20, 300));
      stands.stop_there = true;
      stands.think_us = 0;
      Player& victim = stage.spawn(stands);
      victim.stopped = true;
      const auto member = [&](shm::MemberSnapshot& out) {
        shm::Snapshot seen;
        if (!stage.snapshot(seen)) return false;
        for (const shm::MemberSnapshot& m : seen.members)
          if (m.pid == victim.pid) {
            out = m;
            return true;
          }
        return false;
      };
      shm::MemberSnapshot seen;
      stage.until("writer " + std::to_string(victim.writer) + " to stand in its claim",
                  [&] { return member(seen) && seen.process_state == 'T' && seen.in_claim; });
      const uint64_t refused = one.front().refused.load();
      stage.until("the ring to fill up before the claim", [&] { return one.front().refused.load() > refused + 5; });
      // Its cursor may hold the ring before its claim does: then it is expelled as a reader, and its claim is kept all the same.
      const double start = seconds_now();
      uint64_t tail = 0;
      stage.until("three timeouts to pass", [&] { return seconds_now() - start > 0.9; });
      tail = stage.tail();
      stage.until("one more to pass", [&] { return seconds_now() - start > 1.3; });
      if (stage.tail() > tail + 16384) throw Failure("the ring moved on past a claim whose owner stands\n" + stage.describe());
      if (!member(seen) || !seen.in_claim) throw Failure("the claim of a stopped process is gone\n" + stage.describe());
      if (dies) stage.kill(victim);
      else stage.resume(victim);
      stage.until_progress(300);
      Rules rules;
      rules.expulsions = true;
      stage.settle(rules);
      stage.leave();
    }
  }
}

// Stopped between the look whether it is a member and the claim; expelled; it goes on, and claims. Nobody may hear that message, and it is
// counted. (The ring may be full when it goes on: then it claims nothing, and another one tries.)
void expelled_in_send(Run& run) {
  const uint64_t most = run.is_long ? 200 : 20;
  uint64_t counted = 0;
  for (uint64_t story = 0; story < most && (run.is_long || counted == 0); ++story) {
    Settings settings;
    settings.slow_reader_timeout = "300ms";
    Stage stage(run.seed + story, settings, run.totals);
    Plan plan;
    plan.think_us = 500;
    stage.spawn_and_join(plan);
    stage.spawn_and_join(plan);
    Plan stands;
    stands.crash_at = "claim.room:" + std::to_string(stage.dice().between(20, 300));
    stands.stop_there = true;
    Player& victim = stage.spawn(stands);
    victim.stopped = true;
    const auto readers_without_it = [&] {
      const auto all = stage.readers();
      return std::none_of(all.begin(), all.end(), [&](Player* reader) { return reader->knows(victim.pid); });
    };
    stage.until("writer " + std::to_string(victim.writer) + " to stand before its claim",
                [&] { return shm::process_state(victim.pid) == 'T'; });
    stage.until("the others to see it expelled", readers_without_it);
    stage.until_progress(100);
    stage.resume(victim);
    stage.until("it to be back", [&] {
      const auto all = stage.readers();
      return victim.front().expulsions.load() != 0 &&
             std::all_of(all.begin(), all.end(), [&](Player* reader) { return reader->knows(victim.pid); });
    });
    Rules rules;
    rules.expulsions = true;
    stage.settle(rules);
    stage.leave();
    counted += victim.front().outsiders.load();
  }
  if (counted == 0) throw Failure("no send ended after an expulsion, or none was counted");
  run.remark = std::to_string(counted) + " sends ended after an expulsion";
}

// The pid stays, its pidfd is silent: the lock on its place and the robust futex of its service thread tell. It exec's something else, or a
// program that opens the same bus again under the same pid.
void exec(Run& run) {
  const uint64_t rounds = run.is_long ? 200 : 12;
  Stage stage(run.seed, Settings{}, run.totals);
  Dice& dice = stage.dice();
  Plan plan;
  plan.think_us = 1000;
  stage.spawn_and_join(plan);
  stage.spawn_and_join(plan);
  for (uint64_t round = 0; round < rounds; ++round) {
    Plan several = plan;
    several.threads = 2;
    several.second = dice.one_in(2);
    Player& victim = stage.spawn_and_join(several);
    stage.until_progress(dice.below(200));
    if (dice.one_in(2)) {
      stage.exec_away(victim);
      stage.until_gone({victim.pid});
      stage.kill(victim);
    } else {
      Player& next = stage.exec(victim, several);
      stage.command(next, "g");
      stage.until_joined(next);
      stage.until_progress(50);
      stage.kill(next);
      stage.until_gone({next.pid});
    }
    say_progress(run, "execs", round + 1, rounds);
  }
  stage.settle(Rules{});
  stage.leave();
}

}  // namespace evs::torture
