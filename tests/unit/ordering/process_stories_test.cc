// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/process_stories_test.cc - configurations of processes over hosts, a story each (docs/protocol.md, "Processes over hosts").
#include <gtest/gtest.h>

#include "tests/unit/ordering/process_world.h"

namespace evs::ordering {
namespace {

using Lines = ProcessWorld::Lines;

Lines part(const Lines& lines, size_t from) { return {lines.begin() + static_cast<std::ptrdiff_t>(std::min(from, lines.size())), lines.end()}; }

TEST(ProcessStories, AProcessAloneBeginsWithItself) {
  ProcessWorld world(1);
  ASSERT_EQ(world.join("a1"), Submitted::ok);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1"); }));
  ASSERT_EQ(world.say("a1", "x", Service::safe), Submitted::ok);
  ASSERT_EQ(world.leave("a1"), Submitted::ok);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "-a1"); }));
  EXPECT_EQ(world.told(1), (Lines{"R a1", "x", "-a1"}));
  EXPECT_EQ(world.say("a1", "too late"), Submitted::closed);
}

TEST(ProcessStories, HostsThatMeetTellOneChange) {
  ProcessWorld world(2);
  bool apart = true;
  world.lets_pass = [&](HostId, HostId, Bytes) { return !apart; };
  world.join("a1");
  world.join("a2");
  world.join("b1");
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 a2") && world.has_told(2, "R b1"); }));
  apart = false;
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}); }));
  EXPECT_EQ(world.told(1), (Lines{"R a1", "T a1", "R a1 a2", "T a1 a2", "R a1 a2 b1"}));
  EXPECT_EQ(world.told(2), (Lines{"R b1", "T b1", "R a1 a2 b1"}));
}

TEST(ProcessStories, ARingThatBreaksAndLosesNobodyIsNoChange) {
  ProcessWorld world(2);
  world.join("a1");
  world.join("b1");
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1") && world.has_told(2, "R a1 b1"); }));
  const RingId before = world.protocol(1).ring();
  const size_t told = world.told(1).size();
  bool deaf = true;  // until the token is given up
  world.lets_pass = [&](HostId, HostId, Bytes packet) { return !deaf || packet[5] != std::byte{ProcessWorld::kTokenType}; };
  ASSERT_TRUE(world.run_until([&] { return !world.protocol(1).is_operational(); }));
  deaf = false;
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}); }));
  EXPECT_NE(world.protocol(1).ring(), before);
  EXPECT_EQ(world.told(1).size(), told);
  ASSERT_EQ(world.say("b1", "x", Service::safe), Submitted::ok);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "x"); }));
  EXPECT_EQ(part(world.told(1), told), Lines{"x"});
}

// It would take years; and the representative, who names the ring, is one of those who are behind.
TEST(ProcessStories, WhoIsFarBehindInRingsCatchesUp) {
  ProcessWorld world(3, [](Settings& settings) { settings.ring_sequence = settings.self.id == 3 ? 10 * kMostAhead : 0; });
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2, 3}); }, 5'000 * kMillisecond));
  EXPECT_GT(world.protocol(1).ring().sequence, 10 * kMostAhead);
}

TEST(ProcessStories, AHostThatDiesTakesItsProcessesAlong) {
  ProcessWorld world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1 c1") && world.has_told(3, "R a1 b1 c1"); }));
  const size_t told = world.told(1).size();
  world.crash(2);
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 3}); }));
  EXPECT_EQ(part(world.told(1), told), (Lines{"T a1 c1", "R a1 c1"}));
  EXPECT_EQ(world.level(1).configuration().id, world.level(3).configuration().id);
}

// A barrier stands when a host dies in it: it goes with the ring, and messages flow again.
TEST(ProcessStories, AHostDiesInABarrier) {
  ProcessWorld world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1 c1") && world.has_told(3, "R a1 b1 c1"); }));
  world.join("a2");
  world.say("a1", "x", Service::safe);
  world.say("c1", "y");
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 a2 b1 c1"); }));
  ASSERT_FALSE(world.has_told(1, "x"));
  world.crash(2);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "x") && world.has_told(3, "x") && world.has_told(3, "y"); }));
  EXPECT_EQ(world.configuration_above(1, world.place_of(1, "x")), "R a1 a2 c1");
  EXPECT_EQ(world.configuration_above(3, world.place_of(3, "x")), "R a1 a2 c1");
}

TEST(ProcessStories, AHostJoinsInABarrier) {
  ProcessWorld world(3);
  bool apart = true;
  world.lets_pass = [&](HostId from, HostId to, Bytes) { return !apart || (from != 3 && to != 3); };
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1") && world.has_told(3, "R c1"); }));
  world.join("a2");
  world.say("a1", "x", Service::safe);
  apart = false;
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2, 3}) && world.has_told(2, "x"); }));
  EXPECT_EQ(world.configuration_above(1, world.place_of(1, "x")), world.configuration_above(2, world.place_of(2, "x")));
  EXPECT_EQ(world.level(1).configuration().members.size(), 4u);
  EXPECT_EQ(world.level(1).configuration().id, world.level(3).configuration().id);
}

TEST(ProcessStories, ManyHostsChangeAtOnce) {
  ProcessWorld world(4);
  for (const char* name : {"a1", "b1", "c1", "d1"}) world.join(name);
  const auto all_in = [&](const std::string& line) {
    for (HostId host = 1; host <= 4; ++host)
      if (!world.has_told(host, line)) return false;
    return true;
  };
  ASSERT_TRUE(world.run_until([&] { return all_in("R a1 b1 c1 d1"); }));
  for (const char* name : {"a2", "b2", "c2", "d2"}) world.join(name);
  for (const char* name : {"a1", "b1", "c1", "d1"}) world.leave(name);
  ASSERT_TRUE(world.run_until([&] { return all_in("R a2 b2 c2 d2"); }));
  for (HostId host = 2; host <= 4; ++host) {
    // The same from the configuration with all four on; each host also told who of its own has gone.
    const auto common = [&](HostId of) {
      Lines lines = part(world.told(of), world.place_of(of, "R a1 b1 c1 d1"));
      std::erase_if(lines, [](const std::string& line) { return line[0] == '-'; });
      return lines;
    };
    EXPECT_EQ(common(host), common(1));
  }
}

// Changes without an end on one host, messages on another: each has its turn.
TEST(ProcessStories, SteadyChurnStarvesNobody) {
  ProcessWorld world(3);
  for (const char* name : {"a1", "b1", "c1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1 c1") && world.has_told(2, "R a1 b1 c1"); }));
  constexpr int kMessages = 40;
  size_t seen = world.told(1).size();
  bool is_there = false;
  int said = 0;
  const auto churn = [&] {  // as soon as one change is told, the next is asked for; and likewise for messages
    for (; seen < world.told(1).size(); ++seen) {
      const std::string line = world.told(1)[seen];
      if (line == "R a1 a2 b1 c1" || line == "R a1 b1 c1") is_there ? world.leave("a2") : world.join("a2"), is_there = !is_there;
      if (line[0] == 'm' && said < kMessages) world.say("b1", "m" + std::to_string(said++));
    }
    return world.has_told(1, "m" + std::to_string(kMessages - 1));
  };
  world.join("a2");
  is_there = true;
  world.say("b1", "m" + std::to_string(said++));
  ASSERT_TRUE(world.run_until(churn));
  size_t changes = 0, worst = 0, run = 0;
  for (const std::string& line : world.told(1)) {
    run = line[0] == 'R' ? run + 1 : line[0] == 'm' ? 0 : run;
    worst = std::max(worst, run);
    changes += line[0] == 'R';
  }
  EXPECT_GE(changes, size_t{kMessages} / 2) << "changes went on all the while";
  EXPECT_LE(worst, 8u) << "changes between two messages";
}

// A leave that only the hosts' transitional configuration delivers is taken into the next regular one.
TEST(ProcessStories, AChangeInTheHostsTransitionIsFolded) {
  bool seen = false;
  for (uint64_t cut_at = 0; cut_at < 60; ++cut_at) {
    ProcessWorld world(3);
    for (const char* name : {"a1", "a2", "b1", "c1"}) world.join(name);
    const std::string all = "R a1 a2 b1 c1";
    ASSERT_TRUE(world.run_until([&] { return world.has_told(1, all) && world.has_told(2, all) && world.has_told(3, all); }));
    world.wake_from("b1");
    world.say("a1", "s", Service::safe);  // until all have it, nothing behind it is delivered in the hosts' regular configuration
    world.leave("a2");
    const uint64_t from = world.packets();
    world.lets_pass = [&](HostId a, HostId b, Bytes) { return world.packets() - from <= cut_at || ((a == 3) == (b == 3)); };
    ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}) && world.together({3}); }));
    ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1") && world.has_told(2, "R a1 b1") && world.has_told(3, "R c1"); }));
    ASSERT_TRUE(world.has_told(1, "-a2"));
    const Lines after = part(world.told(1), world.place_of(1, "wake") + 1);

    if (after == Lines{"T a1 a2 b1", "s", "-a2", "R a1 a2 b1", "T a1 b1", "R a1 b1"}) seen = true;
  }
  EXPECT_TRUE(seen) << "no cut came at the moment that this is about";
}

TEST(ProcessStories, GroupsAreKnownEverywhereAlsoAfterHostsMeet) {
  ProcessWorld world(2);
  bool apart = true;
  world.lets_pass = [&](HostId, HostId, Bytes) { return !apart; };
  world.join("a1");
  world.join("b1");
  world.group("a1", Change::join_group, "g");
  world.group("b1", Change::join_group, "g");
  world.group("b1", Change::join_group, "h");
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "G g a1") && world.has_told(2, "G h b1"); }));
  apart = false;
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}); }));
  EXPECT_TRUE(world.has_told(1, "G g a1 b1"));
  EXPECT_TRUE(world.has_told(2, "G g a1 b1"));
  EXPECT_TRUE(world.has_told(1, "G h b1"));
  world.group("b1", Change::leave_group, "h");
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "G h"); }));
}

// A group that is joined in the hosts' transitional configuration is told at its place there: all who go on have the same one.
TEST(ProcessStories, AGroupJoinedInTheHostsTransitionIsTold) {
  bool seen = false;
  for (uint64_t cut_at = 0; cut_at < 60; ++cut_at) {
    ProcessWorld world(3);
    for (const char* name : {"a1", "b1", "c1"}) world.join(name);
    const std::string all = "R a1 b1 c1";
    ASSERT_TRUE(world.run_until([&] { return world.has_told(1, all) && world.has_told(2, all) && world.has_told(3, all); }));
    world.wake_from("b1");
    world.say("a1", "s", Service::safe);
    world.group("a1", Change::join_group, "g", "hello");
    const uint64_t from = world.packets();
    world.lets_pass = [&](HostId a, HostId b, Bytes) { return world.packets() - from <= cut_at || ((a == 3) == (b == 3)); };
    ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1") && world.together({1, 2}) && world.together({3}); }));
    EXPECT_TRUE(world.run_until([&] { return world.has_told(1, "G g a1") && world.has_told(2, "G g a1"); }, 100 * kMillisecond)) << "cut at " << cut_at;
    if (part(world.told(1), world.place_of(1, "wake") + 1) == Lines{"T a1 b1", "s", "G g a1", "C a1 hello", "R a1 b1"}) seen = true;
  }
  EXPECT_TRUE(seen) << "no cut came at the moment that this is about";
}

// At one place for all: of two who join one group at once each host tells of one before the other, the same one, so the second finds the first there.
TEST(ProcessStories, WhatAChangeOfGroupsCarriesIsToldByItsOwnHostWhereTheOthersTellTheChange) {
  ProcessWorld world(2);
  for (const char* name : {"a1", "b1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "R a1 b1") && world.has_told(2, "R a1 b1"); }));
  world.group("a1", Change::join_group, "gh", "from a");
  world.group("b1", Change::join_group, "gh", "from b");
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "G h a1 b1") && world.has_told(2, "G h a1 b1"); }));
  const auto groups_told = [&](HostId host) { return part(world.told(host), world.place_of(host, "R a1 b1") + 1); };
  const bool a_first = groups_told(1).front() == "G g a1";
  const Lines first = a_first ? Lines{"G g a1", "G h a1"} : Lines{"G g b1", "G h b1"}, second = {"G g a1 b1", "G h a1 b1"};
  for (const HostId host : {1, 2}) {
    Lines expected = first;
    if ((host == 1) == a_first) expected.push_back(host == 1 ? "C a1 from a" : "C b1 from b");
    expected.insert(expected.end(), second.begin(), second.end());
    if ((host == 1) != a_first) expected.push_back(host == 1 ? "C a1 from a" : "C b1 from b");
    EXPECT_EQ(groups_told(host), expected) << "host " << host;
  }
}

TEST(ProcessStories, AnOpeningLargerThanAFrameIsSaidInPieces) {
  ProcessWorld world(2, [](Settings& settings) { settings.frame_bytes = 400; });
  world.join("a1");
  for (char key = 'A'; key <= 'Z'; ++key) ASSERT_EQ(world.group("a1", Change::join_group, std::string(1, key)), Submitted::ok);
  world.join("b1");
  ASSERT_TRUE(world.run_until([&] { return world.together({1, 2}) && world.has_told(2, "R a1 b1"); }));
  EXPECT_TRUE(world.has_told(2, "G Z a1"));
}

// Host 2 says an opening that lists a process of host 1's. All read the same, so all take it for a host without processes, and the ring works.
TEST(ProcessStories, AnOpeningThatBreaksARuleHoldsUpNobody) {
  Settings settings;
  settings.self = {1, 101};
  Protocol protocol(settings);
  ProcessLevel level(1, 4096, protocol);
  const RingId ring{8, 1, 101};
  Output out;
  std::vector<Told> told;
  std::vector<std::vector<std::byte>> openings(2);
  const Process a1{1u << kSlotBits | 1, 7, 1};
  records::encode(Opening{{}, 0, {{a1, false, {}}}}, openings[0]);
  openings[1] = openings[0];
  out.configure({true, ring, ring, {{1, 101}, {2, 102}}});
  level.digest(out, out.effects.back(), told);
  for (HostId host = 2; host >= 1; --host) {
    EXPECT_FALSE(level.exchanged());
    Delivery& delivery = out.deliver();
    delivery.ring = ring;
    delivery.sender = {host, 100 + host};
    delivery.bytes = openings[host - 1];
    level.digest(out, out.effects.back(), told);
  }
  EXPECT_TRUE(level.exchanged());
  EXPECT_EQ(level.refused(Refusal::malformed), 1u);
  EXPECT_EQ(level.refused_total(), 1u);
  EXPECT_EQ(level.configuration().members, Processes{a1});
}

TEST(ProcessStories, WhatWouldNotFitIntoAnOpeningIsRefused) {
  ProcessWorld world(1, [](Settings& settings) { settings.message_limit = 200; });
  ASSERT_EQ(world.join("a1"), Submitted::ok);
  int joined = 0;
  for (char key = 'A'; key <= 'Z'; ++key) joined += world.group("a1", Change::join_group, std::string(1, key)) == Submitted::ok;
  EXPECT_EQ(joined, (200 - 32 - 24) / 32);
  EXPECT_EQ(world.group("a1", Change::leave_group, "A"), Submitted::ok);
}

}  // namespace
}  // namespace evs::ordering
