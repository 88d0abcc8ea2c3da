// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/primary_runs_test.cc - hosts that part, meet and lose their disks at every moment of forming a primary ring: one chain all the same.
//
// Each host is as slow as chance has it: it may learn that a ring was formed long after the others have gone on. Built twice, as it is and with rules that
// can be left out (EVS_ORDERING_MUTANTS); then a second chain must be found. EVS_SEED=n replays one run.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "bus/ordering/host_set.h"
#include "bus/ordering/mutant.h"
#include "bus/ordering/primary.h"
#include "tests/support/dice.h"
#include "tests/support/seeds.h"

namespace evs::ordering {
namespace {

struct Ring {
  Decision decision;
  Hosts members, voted;
};

struct Machine {
  Host name;  // the nonce is its disk's
  PrimaryRecord disk;
  std::shared_ptr<Ring> ring;
  uint64_t declared = 0;
};

struct Options {
  Quorum quorum;
  bool disks_fail = false, disks_keep_their_name = false;
};

class Fate {
 public:
  Fate(uint64_t seed, const Options& options) : dice_(seed), options_(options) {
    const auto hosts = static_cast<HostId>(options.quorum.rule == Quorum::Rule::fixed ? options.quorum.hosts : dice_.between(2, 6));
    for (HostId id = 1; id <= hosts; ++id) machines_.push_back({{id, 1}, {}, nullptr, 0});
    if (options.quorum.rule == Quorum::Rule::last_primary) {
      machines_[0].disk = begun_by(machines_[0].name);
      chain_[1] = machines_[0].disk.formed;
    }
    for (uint64_t steps = dice_.between(20, 400); steps > 0; --steps) step();
  }

  // All meet, and nothing interrupts them.
  bool heals() {
    std::vector<Machine*> all;
    for (Machine& machine : machines_) all.push_back(&machine);
    meet(all);
    for (Machine* machine : all) vote(*machine);
    for (Machine* machine : all) learn(*machine);
    return machines_[0].ring->decision.verdict == Verdict::forms;
  }
  // The first thing that is wrong with the chain; empty: nothing.
  std::string fault() const {
    if (!fault_.empty()) return fault_;
    const Attempt* before = nullptr;
    for (const auto& [epoch, attempt] : chain_) {
      size_t both = 0;
      if (before != nullptr)
        for (const Host& host : attempt.hosts) both += contains(before->hosts, host);
      const bool follows = options_.quorum.rule == Quorum::Rule::fixed ? both != 0 : before != nullptr && 2 * both > before->hosts.size();
      if (before != nullptr && !follows) return "epoch " + std::to_string(epoch) + " does not follow on epoch " + std::to_string(before->epoch);
      before = &attempt;
    }
    return {};
  }
  size_t formed() const { return chain_.size(); }
  uint64_t refused(Verdict why) const { return refused_.count(why) == 0 ? 0 : refused_.at(why); }

 private:
  void step() {
    Machine& one = machines_[dice_.below(machines_.size())];
    const uint64_t what = dice_.below(20);
    if (what < 10) return vote(one);
    if (what < 15) return learn(one);
    if (what == 15 && options_.disks_fail && dice_.one_in(4)) return lose_disk(one);
    std::vector<Machine*> some;
    const uint64_t most = dice_.below(4);  // 0: all
    for (Machine& machine : machines_)
      if (most == 0 || dice_.one_in(2)) some.push_back(&machine);
    if (!some.empty()) meet(some);
  }
  // They leave the rings in which they are, and what they have not learned there they never will.
  void meet(const std::vector<Machine*>& who) {
    PrimaryRecords said;
    auto ring = std::make_shared<Ring>();
    for (Machine* machine : who) {
      said[machine->name] = machine->disk;
      add(ring->members, machine->name);
      machine->ring = ring;
    }
    ring->decision = decide(options_.quorum, {++rings_, who.front()->name.id, 1}, said);
    if (ring->decision.verdict != Verdict::forms) ++refused_[ring->decision.verdict];
  }
  void vote(Machine& machine) {
    if (!machine.ring || machine.ring->decision.verdict != Verdict::forms || contains(machine.ring->voted, machine.name)) return;
    machine.disk = with_attempt(machine.disk, machine.ring->decision);
    add(machine.ring->voted, machine.name);
    if (machine.disk.attempts.size() > kMaxAttempts) fault_ = "a host remembers too many tries";
  }
  void learn(Machine& machine) {
    if (!machine.ring || machine.ring->voted != machine.ring->members) return;
    const Attempt& attempt = machine.ring->decision.attempt;
    machine.disk = with_formed(machine.disk, attempt);
    if (attempt.epoch < machine.declared) fault_ = "epochs fall at host " + std::to_string(machine.name.id);
    machine.declared = attempt.epoch;
    const auto [at, is_new] = chain_.emplace(attempt.epoch, attempt);
    if (!is_new && at->second != attempt) fault_ = "two primary rings have epoch " + std::to_string(attempt.epoch);
  }
  void lose_disk(Machine& machine) {
    machine.disk = {};
    machine.ring = nullptr;
    machine.declared = 0;
    if (!options_.disks_keep_their_name) ++machine.name.nonce;
  }

  test::Dice dice_;
  const Options options_;
  std::vector<Machine> machines_;
  std::map<uint64_t, Attempt> chain_;
  std::map<Verdict, uint64_t> refused_;
  uint64_t rings_ = 0;
  std::string fault_;
};

constexpr Quorum kLastPrimary{Quorum::Rule::last_primary, 0};

uint64_t faults_of(const Options& options, uint64_t runs) {
  uint64_t faults = 0;
  for (uint64_t seed = 1; seed <= runs; ++seed) faults += !Fate(seed, options).fault().empty();
  return faults;
}

TEST(PrimaryRuns, ThereIsOneChain) {
  size_t formed = 0;
  uint64_t no_majority = 0, may_have_formed = 0;
  test::for_each_seed<uint64_t>([&](uint64_t seed) {
    Fate run(seed, {kLastPrimary});
    EXPECT_EQ(run.fault(), "");
    EXPECT_TRUE(run.heals()) << "all hosts are together, with their disks";
    EXPECT_EQ(run.fault(), "");
    formed += run.formed();
    no_majority += run.refused(Verdict::no_majority);
    may_have_formed += run.refused(Verdict::may_have_formed);
  });
  if (std::getenv("EVS_SEED") != nullptr) return;
  EXPECT_GT(formed, 400u);
  EXPECT_GT(no_majority, 400u);
  EXPECT_GT(may_have_formed, 100u);
}

TEST(PrimaryRuns, ThereIsOneChainAlsoWhenDisksFail) {
  test::for_each_seed<uint64_t>([&](uint64_t seed) {
    Fate run(seed, {kLastPrimary, true});
    run.heals();
    EXPECT_EQ(run.fault(), "");
  });
}

TEST(PrimaryRuns, OfAFixedNumberThereIsOneChain) {
  test::for_each_seed<uint64_t>([&](uint64_t seed) {
    Fate run(seed, {{Quorum::Rule::fixed, static_cast<uint32_t>(2 + seed % 5)}});
    EXPECT_TRUE(run.heals());
    EXPECT_EQ(run.fault(), "");
  });
}

// Why a host is named by its disk.
TEST(PrimaryRuns, ADiskThatIsLostUnderItsNameMakesASecondChain) { EXPECT_GT(faults_of({kLastPrimary, true, true}, 2000), 0u); }

#ifdef EVS_ORDERING_MUTANTS
TEST(PrimaryRuns, ARuleThatIsLeftOutMakesASecondChain) {
  EXPECT_EQ(faults_of({kLastPrimary}, 2000), 0u);
  for (const Mutant mutant : {Mutant::try_not_stored, Mutant::tries_ignored}) {
    g_mutant = mutant;
    EXPECT_GT(faults_of({kLastPrimary}, 2000), 0u) << static_cast<int>(mutant);
  }
  g_mutant = Mutant::none;
}
#endif

}  // namespace
}  // namespace evs::ordering
