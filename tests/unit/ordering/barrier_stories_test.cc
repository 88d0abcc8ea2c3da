// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/barrier_stories_test.cc - two histories that must not be, and are when there is no barrier.
//
// Built twice: as it is, and with rules that can be left out (EVS_ORDERING_MUTANTS), where the same search must find what it is looking for.
#include <gtest/gtest.h>

#include <utility>

#include "bus/ordering/mutant.h"
#include "tests/unit/ordering/process_world.h"

namespace evs::ordering {
namespace {

using namespace std::string_literals;

const std::string kAll = "R a1 a2 b1", kWithout = "R a1 b1";

void begin(ProcessWorld& world) {
  for (const char* name : {"a1", "a2", "b1"}) world.join(name);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, kAll) && world.has_told(2, kAll); }));
  world.wake_from("b1");
}

struct Histories {
  int delivered_where_b_never_was = 0, a_alone_installed = 0, both_installed = 0;
};

// Hosts A{a1, a2} and B{b1}. In order: m0 SAFE, a2 leaves, m SAFE. B is cut off at every moment in turn. Where a1 delivers m in the regular configuration
// {a1, b1}, b1 must have installed that.
Histories leave_before_a_safe_message() {
  Histories found;
  for (uint64_t cut_at = 0; cut_at < 120; ++cut_at) {
    ProcessWorld world(2);
    begin(world);
    world.say("a1", "m0", Service::safe);
    world.leave("a2");
    world.say("a1", "m", Service::safe);
    const uint64_t from = world.packets();
    world.lets_pass = [&](HostId, HostId, Bytes) { return world.packets() - from <= cut_at; };
    EXPECT_TRUE(world.run_until([&] { return world.has_told(1, "m") && world.together({1}) && world.together({2}); }));
    const bool in_regular = world.configuration_above(1, world.place_of(1, "m")) == kWithout;
    const bool b_installed = world.has_told(2, kWithout);
    found.delivered_where_b_never_was += in_regular && !b_installed;
    found.a_alone_installed += world.has_told(1, kWithout) && !b_installed;
    found.both_installed += in_regular && b_installed;
  }
  return found;
}

// A leaves with a2; a FIFO message of c1 is stamped behind that; B lacks the leave's frame at first, and nothing of c1's that it lacks keeps it from
// delivering the message early, in the configuration before. Where B and C deliver it.
std::pair<std::string, std::string> where_fifo_is_delivered() {
  ProcessWorld world(3);
  for (const char* name : {"a1", "a2", "b1", "c1"}) world.join(name);
  const std::string all = "R a1 a2 b1 c1";
  EXPECT_TRUE(world.run_until([&] { return world.has_told(1, all) && world.has_told(2, all) && world.has_told(3, all); }));
  world.wake_from("b1");
  bool lost = false;
  world.lets_pass = [&](HostId from, HostId to, Bytes packet) {
    const bool leave = !lost && from == 1 && to == 2 && packet[5] == std::byte{ProcessWorld::kDataType};
    lost |= leave;
    return !leave;
  };
  world.leave("a2");
  EXPECT_TRUE(world.run_until([&] { return lost; }));
  world.say("c1", "m", Service::fifo);
  EXPECT_TRUE(world.run_until([&] { return world.has_told(2, "m") && world.has_told(3, "m"); }));
  return {world.configuration_above(2, world.place_of(2, "m")), world.configuration_above(3, world.place_of(3, "m"))};
}

// A has delivered the leave of its a2 and raised the line; B, next, lacks it still, and has a FIFO message to say. Where B and A deliver that.
std::pair<std::string, std::string> where_who_lacks_the_change_speaks() {
  ProcessWorld world(2);
  begin(world);
  int lost = 0;
  world.lets_pass = [&](HostId from, HostId to, Bytes packet) {
    const bool leave = lost < 2 && from == 1 && to == 2 && packet[5] == std::byte{ProcessWorld::kDataType};
    lost += leave;
    return !leave;
  };
  world.leave("a2");
  EXPECT_TRUE(world.run_until([&] { return lost == 1; }));
  world.say("b1", "m", Service::fifo);
  EXPECT_TRUE(world.run_until([&] { return world.has_told(1, "m") && world.has_told(2, "m"); }));
  return {world.configuration_above(2, world.place_of(2, "m")), world.configuration_above(1, world.place_of(1, "m"))};
}

#ifndef EVS_ORDERING_MUTANTS

TEST(BarrierStories, WhoDeliversInAConfigurationWasNotTheOnlyOneToInstallIt) {
  const Histories found = leave_before_a_safe_message();
  EXPECT_EQ(found.delivered_where_b_never_was, 0);
  EXPECT_GT(found.a_alone_installed, 0) << "the moment that this is about never came";
  EXPECT_GT(found.both_installed, 0);
}

TEST(BarrierStories, NothingIsEarlyBehindAChange) {
  EXPECT_EQ(where_fifo_is_delivered(), std::pair("R a1 b1 c1"s, "R a1 b1 c1"s));
}

TEST(BarrierStories, WhoLacksTheChangeDoesNotSeeTheBarrierFall) {
  EXPECT_EQ(where_who_lacks_the_change_speaks(), std::pair("R a1 b1"s, "R a1 b1"s));
}

#else

TEST(BarrierStories, ALineSeenOnceProvesNothing) {
  g_mutant = Mutant::barrier_on_one_visit;
  EXPECT_EQ(where_who_lacks_the_change_speaks(), std::pair("R a1 a2 b1"s, "R a1 b1"s));
  g_mutant = Mutant::none;
}

TEST(BarrierStories, WithoutTheBarrierBothHistoriesAreFound) {
  g_mutant = Mutant::no_barrier;
  EXPECT_GT(leave_before_a_safe_message().delivered_where_b_never_was, 0);
  EXPECT_EQ(where_fifo_is_delivered(), std::pair("R a1 a2 b1 c1"s, "R a1 b1 c1"s));
  g_mutant = Mutant::none;
}

#endif

}  // namespace
}  // namespace evs::ordering
