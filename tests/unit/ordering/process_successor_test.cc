// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/process_successor_test.cc - a gateway is killed, and a process that never ran the ordering layer goes on with the host's processes.
//
// In all stories of process_world.h twins go on from what was saved; here is that this would be noticed if a part of it were forgotten (built
// twice, as barrier_stories_test.cc is), and what becomes of that which was submitted.
#include <gtest/gtest.h>

#include <memory>

#include "bus/ordering/mutant.h"
#include "bus/ordering/stored.h"
#include "tests/unit/ordering/process_world.h"

namespace evs::ordering {
namespace {

using Lines = ProcessWorld::Lines;

// A host alone, whose gateway is killed behind so many effects.
struct Gateway {
  explicit Gateway() {
    settings.self = {1, 101};
    settings.exchange = settings.for_successor = true;
    begin();
    level->save(saved);
    protocol->start(now, out);
    carry_out();
  }

  void begin() {
    protocol = std::make_unique<Protocol>(settings);
    protocol->set_room(room);
    level = std::make_unique<ProcessLevel>(1, settings.message_limit, *protocol);
  }
  void take_over() {
    ++settings.self.nonce;
    settings.first_message += 1000;
    begin();
    ASSERT_TRUE(level->restore(saved));
    ASSERT_TRUE(level->is_catching_up());
    protocol->resume(now, stored, out);
    carry_out();
  }
  void make_room() {
    room = UINT64_MAX;
    protocol->on_room(now, room, out);
    carry_out();
  }
  Submitted join(const std::string& name, uint64_t incarnation) {
    return done(level->join(now, {ProcessWorld::node(name), 1, incarnation}, number, out));
  }
  Submitted leave(const std::string& name) { return done(level->leave(now, ProcessWorld::node(name), Change::leave, number, out)); }
  Submitted group(const std::string& name) { return done(level->change_groups(now, ProcessWorld::node(name), Change::join_group, {Group{}}, {}, number, out)); }
  Submitted say(const std::string& name, const std::string& text) {
    return done(level->send(now, ProcessWorld::node(name), Service::agreed, std::as_bytes(std::span(text)), number, out));
  }
  Submitted done(Submitted result) {
    carry_out();
    return result;
  }
  bool has_told(Told::Kind kind) const { return std::find(told.begin(), told.end(), kind) != told.end(); }

  void carry_out() {
    do {
      for (const Effect& effect : out.effects) {
        if (kill_at_delivery && effect.kind == Effect::Kind::deliver) effects_left = 0;
        if (effects_left == 0) {
          out.clear();
          effects_left = UINT64_MAX;
          kill_at_delivery = false;
          return;
        }
        if (effects_left != UINT64_MAX) --effects_left;
        std::vector<Told> said;
        level->digest(out, effect, said);
        for (const Told& each : said) told.push_back(each.kind);
        apply(stored, effect, out, *protocol);
        saved.clear();
        level->save(saved);
        stamps += effect.kind == Effect::Kind::stamped;
      }
      out.clear();
    } while (level->follow_up(now, out));
  }

  Settings settings;
  Instant now{kMillisecond};
  std::unique_ptr<Protocol> protocol;
  std::unique_ptr<ProcessLevel> level;
  StoredState stored;
  std::vector<std::byte> saved;
  Output out;
  std::vector<Told::Kind> told;
  uint64_t number = 0, room = UINT64_MAX, effects_left = UINT64_MAX;
  size_t stamps = 0;
  bool kill_at_delivery = false;
};

constexpr NodeId kA1 = 1 << kSlotBits | 1;

TEST(ProcessSuccessor, BeforeItsFirstEffectThereIsNothingToGoOnFrom) {
  Gateway host;
  const Gateway fresh;
  host.saved = fresh.saved;
  host.stored = {};
  host.take_over();
  EXPECT_FALSE(host.level->is_catching_up());
  EXPECT_EQ(host.join("a1", 1), Submitted::ok);
  EXPECT_EQ(host.level->configuration().members, (Processes{{kA1, 1, 1}}));
}

TEST(ProcessSuccessor, AJoinWithoutAPlaceIsSubmittedAgainAndTaken) {
  Gateway host;
  host.effects_left = 0;
  ASSERT_EQ(host.join("a1", 1), Submitted::ok);
  host.take_over();
  EXPECT_FALSE(host.level->is_present(kA1));
  EXPECT_EQ(host.leave("a1"), Submitted::closed);
  EXPECT_EQ(host.join("a1", 1), Submitted::ok);
  EXPECT_TRUE(host.level->is_present(kA1));
  EXPECT_EQ(host.level->configuration().members, (Processes{{kA1, 1, 1}}));
}

TEST(ProcessSuccessor, AJoinWithAPlaceIsDelivered) {
  Gateway host;
  host.kill_at_delivery = true;
  const size_t stamps = host.stamps;
  ASSERT_EQ(host.join("a1", 1), Submitted::ok);
  ASSERT_TRUE(host.level->table().empty());
  host.take_over();
  EXPECT_GT(host.stamps, stamps) << "the outbox is told, by this gateway or the one before";
  EXPECT_TRUE(host.level->is_present(kA1));
  EXPECT_EQ(host.join("a1", 1), Submitted::closed);
  EXPECT_EQ(host.say("a1", "x"), Submitted::ok);
  EXPECT_TRUE(host.has_told(Told::Kind::message));
}

TEST(ProcessSuccessor, ALeaveWithoutAPlaceIsSubmittedAgainAndTaken) {
  Gateway host;
  ASSERT_EQ(host.join("a1", 1), Submitted::ok);
  host.effects_left = 0;
  ASSERT_EQ(host.leave("a1"), Submitted::ok);
  ASSERT_FALSE(host.level->is_present(kA1));
  host.take_over();
  EXPECT_TRUE(host.level->is_present(kA1));
  EXPECT_EQ(host.leave("a1"), Submitted::ok);
  EXPECT_TRUE(host.has_told(Told::Kind::gone));
  EXPECT_TRUE(host.level->table().empty());
  EXPECT_EQ(host.join("a1", 2), Submitted::ok);
}

// The room in the opening, and among a process's groups, that was kept for what has no place is kept anew.
TEST(ProcessSuccessor, WhatWaitedForAPlaceTakesUpNothing) {
  Gateway host;
  host.settings.groups_per_process = 1;
  host.settings.message_limit = static_cast<uint32_t>(records::opening_bytes(1, 1));
  host.take_over();
  ASSERT_EQ(host.join("a1", 1), Submitted::ok);
  host.effects_left = 0;
  ASSERT_EQ(host.group("a1"), Submitted::ok);
  EXPECT_EQ(host.level->change_groups(host.now, kA1, Change::join_group, {Group{}}, {}, host.number, host.out), Submitted::too_big);
  host.take_over();
  EXPECT_EQ(host.group("a1"), Submitted::ok);
  EXPECT_EQ(host.level->table().at(kA1).groups.size(), 1u);
}

// A leave that has its place waits for room in the log, and then the nodeid is free: nobody can tell before.
TEST(ProcessSuccessor, UntilItHasCaughtUpASuccessorAnswersAgain) {
  Gateway host;
  ASSERT_EQ(host.join("a1", 1), Submitted::ok);
  host.kill_at_delivery = true;
  ASSERT_EQ(host.leave("a1"), Submitted::ok);
  host.room = 0;
  host.take_over();
  ASSERT_TRUE(host.protocol->is_held());
  EXPECT_TRUE(host.level->is_catching_up());
  EXPECT_EQ(host.join("a1", 2), Submitted::again);
  EXPECT_EQ(host.leave("a1"), Submitted::again);
  EXPECT_EQ(host.group("a1"), Submitted::again);
  EXPECT_EQ(host.say("a1", "x"), Submitted::again);
  host.make_room();
  EXPECT_FALSE(host.level->is_catching_up());
  EXPECT_TRUE(host.has_told(Told::Kind::gone));
  EXPECT_EQ(host.say("a1", "x"), Submitted::closed);
  EXPECT_EQ(host.join("a1", 2), Submitted::ok);
  EXPECT_EQ(host.level->configuration().members, (Processes{{kA1, 1, 2}}));
}

TEST(ProcessSuccessor, OneThatCannotBeginSaysSo) {
  Gateway host;
  host.stored.ring_sequence = kMaxSequence;
  host.take_over();
  EXPECT_EQ(host.join("a1", 1), Submitted::closed);
}

TEST(ProcessSuccessor, WhatIsRefusedChangesNothing) {
  Gateway host;
  host.join("a1", 1);
  ProcessLevel level(1, host.settings.message_limit, *host.protocol);
  std::vector<std::byte> before, after;
  level.save(before);
  ASSERT_FALSE(level.restore(Bytes(host.saved).first(host.saved.size() - 1)));
  level.save(after);
  EXPECT_EQ(before, after);
  EXPECT_EQ(level.revision(), 0u);
  EXPECT_FALSE(level.is_catching_up());
}

#ifdef EVS_ORDERING_MUTANTS
// Group g is joined in the hosts' transitional configuration, at each moment in turn; a twin goes on at each effect.
std::string difference_when_hosts_part() {
  std::string difference;
  for (uint64_t cut_at = 0; cut_at < 60; ++cut_at) {
    ProcessWorld world(3);
    for (const char* name : {"a1", "b1", "c1"}) world.join(name);
    const std::string all = "R a1 b1 c1";
    world.run_until([&] { return world.has_told(1, all) && world.has_told(2, all) && world.has_told(3, all); });
    world.wake_from("b1");
    world.say("a1", "s", Service::safe);
    world.group("a1", Change::join_group, "g");
    const uint64_t from = world.packets();
    world.lets_pass = [&](HostId a, HostId b, Bytes) { return world.packets() - from <= cut_at || ((a == 3) == (b == 3)); };
    world.run_until([&] { return world.has_told(1, "G g a1"); }, 3'000 * kMillisecond);
    if (const std::string found = world.take_difference(); !found.empty()) difference = found;
  }
  return difference;
}

TEST(ProcessSuccessor, APartThatIsForgottenIsMissed) {
  EXPECT_EQ(difference_when_hosts_part(), "");
  g_mutant = Mutant::told_table_not_saved;
  EXPECT_NE(difference_when_hosts_part(), "");
  g_mutant = Mutant::transition_not_saved;
  EXPECT_NE(difference_when_hosts_part(), "");
  g_mutant = Mutant::none;
}
#endif

}  // namespace
}  // namespace evs::ordering
