// SPDX-License-Identifier: BSD-3-Clause
// crash_points.cc - death at each injected point (shm/crash_point.h), the first, second, tenth and hundredth time it is passed.
//
// The names are read from the sources at run time: a point that somebody adds is tested from then on, and one that no story reaches fails
// the run. The victim lives among witnesses that talk all the while. What it needs to come by its point is played to it: most points lie on
// everybody's way; for those of burying others somebody else dies in a claim, with the witnesses stopped so that nobody but the victim can
// see to it; for those of judging a reader stops; and so on. A new name without a story of its own gets all of them in turn.
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "tests/torture/scenarios.h"

namespace evs::torture {

namespace {

std::vector<std::string> points_in_the_sources() {
  std::set<std::string> names;
  const std::regex use("EVS_CRASH_POINT\\(\"([^\"]+)\"\\)");
  for (const char* directory : {"/shm", "/plugins/shm"})
    for (const auto& file : std::filesystem::directory_iterator(std::string(EVS_TORTURE_SOURCES) + directory)) {
      if (file.path().extension() != ".cc" && file.path().extension() != ".h") continue;
      std::ifstream in(file.path());
      for (std::string line; std::getline(in, line);) {
        std::smatch found;
        // Those of the gateway's role no bus comes by yet: tests/conformance/takeover dies there.
        if (std::regex_search(line, found, use) && found[1].str().rfind("role.", 0) != 0) names.insert(found[1]);
      }
    }
  if (names.empty()) throw Failure(std::string("no crash points below ") + EVS_TORTURE_SOURCES);
  return {names.begin(), names.end()};
}

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

struct Drama {
  Stage& stage;
  Player& victim;
  std::vector<Player*> witnesses;

  bool over(double seconds) {
    return stage.until_or([&] { return !victim.alive(); }, seconds);
  }
  void stop_witnesses() {
    for (Player* witness : witnesses) stage.stop(*witness);
  }
  void resume_witnesses() {
    for (Player* witness : witnesses) stage.resume(*witness);
  }

  // Somebody dies between its claim and its commit while only the victim is awake to bury it.
  void bury() {
    Plan dying;
    dying.crash_at = stage.dice().one_in(2) ? "claim.owner:30" : "write.payload:30";
    dying.starts = false;
    Player& other = stage.spawn(dying);
    stage.until("a process to join that shall die", [&] { return other.front().joined.load() != 0 || !victim.alive(); });
    stop_witnesses();
    stage.command(other, "g");
    // A stopped witness may hold a claim in front of its own: then it comes to nothing, and the next one will.
    stage.until_or([&] { return !other.alive() || !victim.alive(); }, 2);
    if (other.alive() && victim.alive()) resume_witnesses();
    stage.until("it to die in its claim, or the victim at its point", [&] { return !other.alive() || !victim.alive(); });
    over(0.5);
    resume_witnesses();
    if (other.alive()) stage.kill(other);
  }
  // Somebody stops and does not read on; the ring fills up with what the victim sends.
  void judge() {
    Plan reads;
    reads.threads = 0;
    Player& other = stage.spawn_and_join(reads);
    for (Player* witness : witnesses) stage.command(*witness, "s");
    for (Player* witness : witnesses)
      stage.until("a witness to fall silent", [&] { return witness->front().stopped.load() != 0; });
    stage.stop(other);
    const auto expelled = [&] {
      const auto all = stage.readers();
      return std::none_of(all.begin(), all.end(), [&](Player* reader) { return reader->knows(other.pid); });
    };
    stage.until_or([&] { return !victim.alive() || expelled(); }, 10);
    stage.resume(other);
    for (Player* witness : witnesses) {
      witness->front().stopped.store(0);
      stage.command(*witness, "g");
    }
    if (other.alive()) stage.kill(other);
  }
  void be_judged() {
    stage.stop(victim);
    const uint32_t regulars = witnesses[0]->front().regulars.load();
    stage.until_or([&] { return witnesses[0]->front().regulars.load() != regulars && !witnesses[0]->knows(victim.pid); }, 10);
    const uint32_t expulsions = victim.front().expulsions.load();
    stage.resume(victim);
    stage.until_or([&] { return !victim.alive() || victim.front().expulsions.load() != expulsions; }, 5);
  }
  void leave() {
    stage.command(victim, "s");
    stage.command(victim, "q");
    over(10);
  }
};

// True when it died there.
bool play(Stage& stage, const std::string& name, uint64_t n, std::vector<Player*>& witnesses) {
  Plan plan;
  plan.threads = 3;
  plan.think_us = 300;
  plan.second = true;
  plan.crash_at = name + ":" + std::to_string(n);
  plan.churn = begins(name, "attach.") || begins(name, "detach.") || begins(name, "build.");
  if (plan.churn) plan.second = false;
  if (begins(name, "build.")) {  // only the first one builds
    for (Player* witness : witnesses) stage.quit(*witness);
    witnesses.clear();
  }
  Drama drama{stage, stage.spawn(plan), witnesses};
  const bool bury = begins(name, "death.") || begins(name, "leave.") || begins(name, "fill."), judge = begins(name, "expel."),
             judged = begins(name, "rejoin.");
  const double patience = n == 1 ? 20 : n <= 2 ? 10 : 4;
  if (bury || judge || judged) {
    stage.until_joined(drama.victim);
    for (uint64_t i = 0; i < 2 * n + 6 && drama.victim.alive(); ++i) {
      if (bury) drama.bury();
      else if (judge) drama.judge();
      else drama.be_judged();
    }
  } else if (begins(name, "view.")) {  // as many memberships as it takes
    Plan comes_and_goes;
    comes_and_goes.churn = true;
    Player& other = stage.spawn(comes_and_goes);
    drama.over(patience);
    stage.kill(other);
  } else if (!drama.over(patience) && n == 1) {
    drama.bury();
    if (drama.victim.alive()) drama.judge();
    if (drama.victim.alive()) drama.be_judged();
    if (drama.victim.alive()) drama.leave();
  }
  const bool died = !drama.victim.alive();
  if (!died) stage.kill(drama.victim);
  if (!witnesses.empty()) {
    // Usable: the news comes, messages flow, and somebody new gets in.
    stage.until_gone({drama.victim.pid});
    stage.until_progress(50);
  }
  Plan fresh;
  fresh.threads = 2;
  fresh.toggle = true;
  Player& next = stage.spawn_and_join(fresh);
  stage.until_progress(20);
  if (witnesses.size() < 2) {
    witnesses.push_back(&next);
    if (witnesses.size() < 2) witnesses.push_back(&stage.spawn_and_join(fresh));
  } else {
    stage.kill(next);
  }
  return died;
}

}  // namespace

void crash_points(Run& run) {
  std::vector<std::string> points = points_in_the_sources();
  if (!run.only.empty())
    points.erase(std::remove_if(points.begin(), points.end(), [&](const std::string& p) { return !begins(p, run.only.c_str()); }), points.end());
  uint64_t done = 0;
  std::string missed, summary;
  for (const std::string& point : points) {
    const bool is_rare = begins(point, "death.") || begins(point, "leave.") || begins(point, "fill.") || begins(point, "expel.") ||
                         begins(point, "rejoin.") || begins(point, "build.");
    Settings settings;
    settings.slow_reader_timeout = begins(point, "expel.") || begins(point, "rejoin.") ? "300ms" : "1h";
    Rules rules;
    rules.expulsions = settings.slow_reader_timeout != "1h";
    Stage stage(run.seed + done, settings, run.totals);
    std::vector<Player*> witnesses;
    Plan witness;
    witness.think_us = 500;
    for (int i = 0; i < 2; ++i) witnesses.push_back(&stage.spawn_and_join(witness));
    std::string reached;
    for (const uint64_t n : {1, 2, 10, 100}) {
      if (is_rare && n > (run.is_long ? 10u : 2u)) break;
      bool died = false;
      try {
        died = play(stage, point, n, witnesses);
      } catch (const Failure& failure) {
        throw Failure("--seed=" + std::to_string(run.seed + done) + " --point=" + point + " at " + point + ":" + std::to_string(n) + ": " +
                      failure.what());
      }
      if (died) reached += " :" + std::to_string(n);
      if (!died && n == 1) missed += " " + point;
    }
    try {
      stage.settle(rules);
      stage.leave();
    } catch (const Failure& failure) {
      throw Failure("--seed=" + std::to_string(run.seed + done) + " --point=" + point + ", after it: " + failure.what());
    }
    summary += "  " + point + reached + "\n";
    say_progress(run, "points", ++done, points.size());
  }
  run.remark = std::to_string(points.size()) + " points, died at:\n" + summary;
  if (!missed.empty()) throw Failure("no story led to:" + missed);
}

}  // namespace evs::torture
