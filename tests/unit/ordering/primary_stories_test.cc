// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/primary_stories_test.cc - hosts that vote: which configurations of processes are primary, what is written down, and who waits for whom.
//
// A twin goes on at each effect from what was saved (process_world.h). Built twice, as it is and with rules that can be left out.
#include <gtest/gtest.h>

#include "bus/ordering/mutant.h"
#include "tests/unit/ordering/process_world.h"

namespace evs::ordering {
namespace {

using Lines = ProcessWorld::Lines;

// The bus begins on host 1.
Voter votes(HostId id) {
  Voter voter{{Quorum::Rule::last_primary, 0}, 1000 + id, {}};
  if (id == 1) voter.record = begun_by({id, voter.disk});
  return voter;
}
void room_for_votes(Settings& settings) {
  settings.message_limit = 1 << 17;
  settings.queue_bytes = 1 << 19;
}

struct Voting : ProcessWorld {
  explicit Voting(uint32_t hosts, const std::function<Voter(HostId)>& voter = votes, const std::function<void(Settings&)>& adjust = room_for_votes)
      : ProcessWorld(hosts, adjust, voter) {}

  uint64_t epoch(HostId host) { return level(host).epoch(); }
  // All of them in one primary ring; its epoch.
  uint64_t primary(const std::vector<HostId>& hosts) {
    const auto all_are = [&] {
      if (!together(hosts)) return false;
      return std::all_of(hosts.begin(), hosts.end(), [&](HostId host) { return epoch(host) != 0 && epoch(host) == epoch(hosts.front()); });
    };
    return run_until(all_are) ? epoch(hosts.front()) : 0;
  }
  void cut_off(HostId one) {
    lets_pass = [one](HostId from, HostId to, Bytes) { return (from == one) == (to == one); };
  }
  Lines behind(HostId host, size_t from) { return {told(host).begin() + static_cast<std::ptrdiff_t>(from), told(host).end()}; }
};

std::string at(uint64_t epoch) { return " @" + std::to_string(epoch); }
std::string written(uint64_t formed) { return "V " + std::to_string(formed); }

TEST(PrimaryStories, ItGrowsFromTheHostOnWhichTheBusBegan) {
  Voting world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  const uint64_t epoch = world.primary({1, 2, 3});
  ASSERT_GT(epoch, 1u);
  for (const HostId host : {1u, 2u, 3u}) {
    ASSERT_TRUE(world.run_until([&] { return world.has_told(host, "R a1 b1 c1" + at(epoch)); })) << host;
    EXPECT_EQ(world.level(host).voter().record, world.level(1).voter().record);
    EXPECT_EQ(world.level(host).voter().record.formed.hosts, (Hosts{{1, 1001}, {2, 1002}, {3, 1003}}));
    EXPECT_EQ(world.level(host).refused_total(), 0u);
  }
}

// Before anybody is told that a ring is primary, both has been written down: that it is tried, and that it was formed.
TEST(PrimaryStories, WhatIsToldWasWrittenDownBefore) {
  Voting world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  const uint64_t epoch = world.primary({1, 2, 3});
  ASSERT_NE(epoch, 0u);
  for (const HostId host : {1u, 2u, 3u}) {
    const Lines& told = world.told(host);
    const auto first = std::find_if(told.begin(), told.end(), [&](const std::string& line) { return line.ends_with(at(epoch)); });
    const auto formed = std::find(told.begin(), told.end(), written(epoch));
    const auto tried = std::find_if(told.begin(), told.end(), [&](const std::string& line) { return line[0] == 'V' && line.ends_with(" " + std::to_string(epoch)); });
    EXPECT_LT(tried, formed) << host;
    EXPECT_LT(formed, first) << host;
  }
}

TEST(PrimaryStories, TheMajorityGoesOnAndTheRestIsToldThatItIsNone) {
  Voting world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  const uint64_t epoch = world.primary({1, 2, 3});
  const size_t before_a = world.told(1).size(), before_c = world.told(3).size();
  world.cut_off(3);
  const uint64_t next = world.primary({1, 2});
  ASSERT_GT(next, epoch);
  ASSERT_TRUE(world.run_until([&] { return world.together({3}); }));
  EXPECT_EQ(world.behind(1, before_a), (Lines{"T a1 b1", "R a1 b1", written(epoch) + " " + std::to_string(next), written(next), "T a1 b1", "R a1 b1" + at(next)}));
  EXPECT_EQ(world.behind(3, before_c), (Lines{"T c1", "R c1"}));
  EXPECT_EQ(world.level(3).verdict(), Verdict::no_majority);
  world.lets_pass = [](HostId, HostId, Bytes) { return true; };
  EXPECT_GT(world.primary({1, 2, 3}), next);
}

// None of the processes is lost, and yet others may be primary now: they are told.
TEST(PrimaryStories, APrimaryOneEndsAlsoWhenAHostWithoutProcessesGoes) {
  Voting world(3);
  world.join("a1");
  const uint64_t epoch = world.primary({1, 2, 3});
  const size_t before = world.told(1).size();
  world.cut_off(1);
  ASSERT_TRUE(world.run_until([&] { return world.together({1}); }));
  EXPECT_EQ(world.behind(1, before), (Lines{"T a1", "R a1"}));
  EXPECT_EQ(world.epoch(1), 0u);
  const uint64_t next = world.primary({2, 3});
  EXPECT_GT(next, epoch);
  world.join("b1");
  EXPECT_TRUE(world.run_until([&] { return world.has_told(2, "R b1" + at(next)); })) << "the ring is primary, whoever joins in it";
}

TEST(PrimaryStories, WhoJoinsAndLeavesIsInTheSameEpoch) {
  Voting world(2);
  world.join("a1");
  const uint64_t epoch = world.primary({1, 2});
  world.join("b1");
  EXPECT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1" + at(epoch)) && world.has_told(2, "R a1 b1" + at(epoch)); }));
  world.leave("b1");
  EXPECT_TRUE(world.run_until([&] { return world.told(1).back() == "R a1" + at(epoch); }));
}

TEST(PrimaryStories, OfAFixedNumberNobodyHasToBegin) {
  Voting world(3, [](HostId id) { return Voter{{Quorum::Rule::fixed, 5}, 1000 + id, {}}; });
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  const uint64_t epoch = world.primary({1, 2, 3});
  EXPECT_NE(epoch, 0u);
  world.cut_off(3);
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}); }));
  EXPECT_EQ(world.epoch(1), 0u) << "two of five";
}

TEST(PrimaryStories, WithoutQuorumNothingIsWrittenOrToldOfIt) {
  ProcessWorld world(2);
  for (const char* name : {"a1", "b1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1"); }));
  for (const std::string& line : world.told(1)) EXPECT_TRUE(line[0] != 'V' && line.find('@') == std::string::npos) << line;
  EXPECT_EQ(world.level(1).verdict(), Verdict::off);
}

// Nobody waits for a host that does not vote because it was told another rule, or none.
TEST(PrimaryStories, WhereRulesDifferNobodyIsPrimary) {
  for (const Quorum other : {Quorum{}, Quorum{Quorum::Rule::fixed, 2}}) {
    Voting world(2, [other](HostId id) {
      Voter voter = votes(id);
      if (id == 2) voter.quorum = other;
      return voter;
    });
    for (const char* name : {"a1", "b1"}) world.join(name);
    ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1") && world.has_told(2, "R a1 b1"); }));
    EXPECT_EQ(world.level(1).verdict(), Verdict::rules_differ);
    EXPECT_EQ(world.level(2).verdict(), Verdict::rules_differ);
  }
}

// Host 2 has an opening, and no vote: messages wait until it is given up.
TEST(PrimaryStories, WhoDoesNotVoteIsGivenUp) {
  Voting world(2, votes, [](Settings& settings) {
    room_for_votes(settings);
    settings.recovery_visits = 200;
  });
  world.never_votes(2);
  world.join("a1");
  ASSERT_TRUE(world.run_until([&] { return !world.told(2).empty() && world.told(2).back()[0] == 'V'; }));
  ASSERT_EQ(world.say("a1", "x"), Submitted::ok);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "x"); }));
  EXPECT_GT(world.protocol(1).entered_gather(Why::barrier_too_long), 0u);
  EXPECT_EQ(world.configuration_above(1, world.place_of(1, "x")).substr(0, 4), "R a1");
}

TEST(PrimaryStories, WhoSaysSomethingElseVotesAgainstAndNobodyWaits) {
  const auto instead = [](const Vote& right, int which) {
    Vote vote = right;
    if (which == 0) ++vote.epoch;
    if (which == 1) vote.ring.sequence += kSequenceStep;
    std::vector<std::byte> record;
    records::encode(vote, record);
    if (which == 2) record.push_back(std::byte{0});
    return record;
  };
  for (const int which : {0, 1, 2}) {
    Voting world(2);
    world.never_votes(2);
    world.join("a1");
    world.join("b1");
    ASSERT_TRUE(world.run_until([&] { return !world.told(2).empty() && world.told(2).back()[0] == 'V'; }));
    const RingId ring = world.protocol(2).ring();
    world.say_instead(2, instead({ring, world.level(2).voter().record.attempts.back().epoch}, which));
    ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}); }));
    EXPECT_EQ(world.protocol(1).ring(), ring) << "nobody was given up";
    EXPECT_EQ(world.level(1).verdict(), Verdict::voted_down);
    EXPECT_EQ(world.level(1).configuration(), world.level(2).configuration());
    EXPECT_FALSE(world.level(1).configuration().is_primary());
    EXPECT_EQ(world.level(1).refused_total(), 1u);
    EXPECT_EQ(world.level(1).voter().record.attempts.size(), 1u) << "what was tried is remembered, until all meet";
  }
}

// A vote that the hosts' transitional configuration delivers counts for nothing: at each packet in turn the ring breaks.
TEST(PrimaryStories, ARingThatBreaksWhileItVotesMakesNoTwoOfOneEpoch) {
  size_t interrupted = 0;
  for (uint64_t cut_at = 0; cut_at < 120; ++cut_at) {
    Voting world(3);
    for (const char* name : {"a1", "b1", "c1"}) world.join(name);
    ASSERT_TRUE(world.run_until([&] { return !world.told(3).empty() && world.told(3).back()[0] == 'V'; }));
    const uint64_t from = world.packets();
    world.lets_pass = [&](HostId a, HostId b, Bytes) { return world.packets() - from <= cut_at || ((a == 3) == (b == 3)); };
    world.run_for(2'000 * kMillisecond);
    std::map<uint64_t, RingId> rings;
    for (const HostId host : {1u, 2u, 3u}) {
      const Attempt& formed = world.level(host).voter().record.formed;
      const auto [known, fresh] = rings.emplace(formed.epoch, formed.ring);
      EXPECT_EQ(known->second, formed.ring) << cut_at;
      interrupted += !world.level(host).voter().record.attempts.empty();
    }
    world.lets_pass = [](HostId, HostId, Bytes) { return true; };
    EXPECT_NE(world.primary({1, 2, 3}), 0u) << cut_at;
  }
  EXPECT_GT(interrupted, 0u);
}

#ifdef EVS_ORDERING_MUTANTS
std::string difference_when_a_voting_ring_breaks() {
  Voting world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  world.primary({1, 2, 3});
  world.cut_off(3);
  world.primary({1, 2});
  return world.take_difference();
}

// Its predecessor's opening names the old disk: it votes for nothing under that name, and comes to the same as any other successor.
TEST(PrimaryStories, ASuccessorThatLostItsDiskWritesDownNoTryOfItsPredecessors) {
  EXPECT_EQ(difference_when_a_voting_ring_breaks(), "");
  g_mutant = Mutant::try_of_another_disk;
  EXPECT_NE(difference_when_a_voting_ring_breaks().find("on another disk writes what its next life refuses"), std::string::npos);
  g_mutant = Mutant::none;
}

TEST(PrimaryStories, WhatIsForgottenOfVotesIsMissed) {
  EXPECT_EQ(difference_when_a_voting_ring_breaks(), "");
  for (const Mutant mutant : {Mutant::standing_not_saved, Mutant::votes_not_saved}) {
    g_mutant = mutant;
    EXPECT_NE(difference_when_a_voting_ring_breaks(), "") << static_cast<int>(mutant);
  }
  g_mutant = Mutant::none;
}
#endif

}  // namespace
}  // namespace evs::ordering
