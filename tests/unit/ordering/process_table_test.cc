// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/process_table_test.cc - what a host can put into everybody's table, and what it cannot: by the record and the table alone.
#include <gtest/gtest.h>

#include "tests/unit/ordering/process_world.h"

namespace evs::ordering {
namespace {

constexpr NodeId node_of(HostId host, uint32_t slot) { return host << kSlotBits | slot; }

Group group_of(uint32_t number) {
  Group group{};
  group[0] = static_cast<std::byte>(number >> 8);
  group[1] = static_cast<std::byte>(number);
  return group;
}

// Host 1's table, in a ring with host 2, to which a story hands what it wants that was delivered.
struct Table {
  Protocol protocol{settings()};
  ProcessLevel level{1, UINT32_MAX, protocol};
  Output out;
  std::vector<Told> told;
  std::vector<std::vector<std::byte>> bytes;
  const RingId ring{8, 1, 101};
  const Hosts hosts{{1, 101}, {2, 102}};

  Table() {
    out.configure({true, ring, ring, hosts});
    level.digest(out, out.effects.back(), told);
  }
  static Settings settings() {
    Settings settings;
    settings.self = {1, 101};
    return settings;
  }
  void exchange() {
    for (const HostId host : {1u, 2u}) say(host, Opening{});
    ASSERT_TRUE(level.exchanged());
  }
  template <class Record>
  void say(HostId from, const Record& record, Service service = Service::agreed) {
    records::encode(record, bytes.emplace_back());
    Delivery& delivery = out.deliver();
    delivery.ring = ring;
    delivery.sender = hosts[from - 1];
    delivery.service = service;
    delivery.bytes = bytes.back();
    level.digest(out, out.effects.back(), told);
  }
  void part(const Hosts& going_on) {
    out.configure({false, ring, {12, 1, 101}, going_on});
    level.digest(out, out.effects.back(), told);
  }
};

TEST(ProcessTable, AHostSpeaksOfItsOwnProcessesAlone) {
  Table table;
  table.exchange();
  const Process a1{node_of(1, 1), 7, 1};
  table.say(1, ChangeRecord{Change::join, a1, {}, {}});
  ASSERT_EQ(table.level.configuration().members, Processes{a1});
  for (const Change what : {Change::leave, Change::died, Change::join_group}) table.say(2, ChangeRecord{what, a1, {}, {}});
  table.say(2, ChangeRecord{Change::join, {node_of(1, 2), 7, 1}, {}, {}});
  EXPECT_EQ(table.level.configuration().members, Processes{a1});
  EXPECT_EQ(table.level.table_size(), 1u);
  EXPECT_EQ(table.level.refused(Refusal::malformed), 4u);
  EXPECT_EQ(table.level.refusals_text(), "malformed 4");
}

TEST(ProcessTable, AHostHasNoMoreProcessesThanANodeidHasSlots) {
  Table table;
  table.exchange();
  for (uint32_t slot = 0; slot < 2 << kSlotBits; ++slot) table.say(2, ChangeRecord{Change::join, {node_of(2, slot), slot, 1}, {}, {}});
  EXPECT_EQ(table.level.table_size(), 4095u);
  EXPECT_EQ(table.level.refused_total(), (2u << kSlotBits) - 4095);
}

TEST(ProcessTable, AProcessIsInNoMoreGroupsThanAllHostsTake) {
  Table table;
  table.exchange();
  const Process b1{node_of(2, 1), 7, 1};
  table.say(2, ChangeRecord{Change::join, b1, {}, {}});
  for (uint32_t i = 0; i < kMaxGroupsOfProcess + 10; ++i) table.say(2, ChangeRecord{Change::join_group, b1, {group_of(i)}, {}});
  EXPECT_EQ(table.level.refused(Refusal::too_much), 10u);
  table.say(2, ChangeRecord{Change::join_group, b1, {group_of(0)}, {}});  // it is in that one
  EXPECT_EQ(table.level.refused_total(), 10u);
  table.say(2, ChangeRecord{Change::leave_group, b1, {group_of(0)}, {}});
  table.say(2, ChangeRecord{Change::join_group, b1, {group_of(kMaxGroupsOfProcess)}, {}});
  EXPECT_EQ(table.level.refused_total(), 10u) << "there is room again";
}

// However many processes share them.
TEST(ProcessTable, AllOfAHostIsNoMoreThanAnOpeningLists) {
  Table table;
  table.exchange();
  size_t taken = 0;
  for (uint32_t slot = 1; slot <= 64; ++slot) {
    const Process process{node_of(2, slot), 7, 1};
    table.say(2, ChangeRecord{Change::join, process, {}, {}});
    for (uint32_t i = 0; i < 600; ++i) {
      const uint64_t before = table.level.refused_total();
      table.say(2, ChangeRecord{Change::join_group, process, {group_of(i)}, {}});
      taken += table.level.refused_total() == before;
    }
  }
  EXPECT_GT(table.level.refused(Refusal::too_much), 0u);
  EXPECT_LE(taken * sizeof(Group), kMaxOpeningBytes);
  EXPECT_GE((taken + 2) * sizeof(Group), kMaxOpeningBytes - records::opening_bytes(64, 0));
}

TEST(ProcessTable, NothingChangesBeforeTheExchangeIsComplete) {
  Table table;
  const Process b1{node_of(2, 1), 7, 1};
  table.say(2, ChangeRecord{Change::join, b1, {}, {}});
  EXPECT_EQ(table.level.refused(Refusal::out_of_turn), 1u);
  EXPECT_EQ(table.level.table_size(), 0u);
}

// A FIFO or UNORDERED one would be delivered at other places elsewhere.
TEST(ProcessTable, AChangeHasAPlaceInTheOrder) {
  Table table;
  table.say(2, Opening{}, Service::unordered);
  EXPECT_EQ(table.level.refused(Refusal::malformed), 1u);
  table.exchange();
  table.say(2, ChangeRecord{Change::join, {node_of(2, 1), 7, 1}, {}, {}}, Service::fifo);
  EXPECT_EQ(table.level.refused(Refusal::malformed), 2u);
  EXPECT_EQ(table.level.table_size(), 0u);
}

TEST(ProcessTable, WhoContradictsTheTableIsRefused) {
  Table table;
  table.exchange();
  const Process b1{node_of(2, 1), 7, 1}, after{node_of(2, 1), 8, 2};
  table.say(2, ChangeRecord{Change::leave, b1, {}, {}});
  table.say(2, ChangeRecord{Change::join, b1, {}, {}});
  table.say(2, ChangeRecord{Change::join, b1, {}, {}});
  table.say(2, ChangeRecord{Change::join, after, {}, {}});
  table.say(2, ChangeRecord{Change::died, after, {}, {}});
  EXPECT_EQ(table.level.refused(Refusal::contradicts), 4u);
  EXPECT_EQ(table.level.configuration().members, Processes{b1});
}

// It is delivered where its host has parted from us: the host keeps the protocol, and there is nothing left to do.
TEST(ProcessTable, ALeaveBehindThePartingOfItsHostIsNotRefused) {
  Table table;
  table.exchange();
  const Process a1{node_of(1, 1), 7, 1}, b1{node_of(2, 1), 7, 1};
  table.say(1, ChangeRecord{Change::join, a1, {}, {}});
  table.say(2, ChangeRecord{Change::join, b1, {}, {}});
  table.part({{1, 101}});
  EXPECT_EQ(table.level.table_size(), 1u);
  table.say(2, ChangeRecord{Change::leave, b1, {}, {}});
  table.say(2, ChangeRecord{Change::join, b1, {}, {}});
  EXPECT_EQ(table.level.refused_total(), 0u);
  EXPECT_EQ(table.level.table_size(), 1u);
}

// Nor is one of a host that closes: that nobody takes its opening any more is no peer's doing.
TEST(ProcessTable, AHostThatLeavesRefusesNothing) {
  Table table;
  Output out;
  table.protocol.leave(Instant{}, out);
  EXPECT_TRUE(table.level.follow_up(Instant{}, out));
  EXPECT_EQ(table.level.refused_total(), 0u);
}

TEST(ProcessTable, WhatHostsWouldRefuseIsNotAskedForInTheFirstPlace) {
  ProcessWorld world(1, [](Settings& settings) { settings.groups_per_process = 3; });
  ASSERT_EQ(world.join("a1"), Submitted::ok);
  for (const char key : {'A', 'B', 'C'}) EXPECT_EQ(world.group("a1", Change::join_group, std::string(1, key)), Submitted::ok);
  EXPECT_EQ(world.group("a1", Change::join_group, "D"), Submitted::too_big);
  EXPECT_EQ(world.group("a1", Change::leave_group, "A"), Submitted::ok);
  ASSERT_TRUE(world.run_until([&] { return world.has_told(1, "G A"); }));
  EXPECT_EQ(world.group("a1", Change::join_group, "D"), Submitted::ok);
  EXPECT_EQ(world.level(1).refused_total(), 0u);
}

// What changes within a transition is told at its place, and once. Of who has joined the bus since hosts parted nobody knows yet: his groups come with him.
TEST(ProcessTable, GroupsThatChangeInATransitionAreToldThere) {
  Table table;
  table.exchange();
  const Process a1{node_of(1, 1), 7, 1}, a2{node_of(1, 2), 7, 1}, a3{node_of(1, 3), 7, 1};
  table.say(1, ChangeRecord{Change::join, a1, {}, {}});
  table.say(1, ChangeRecord{Change::join, a2, {}, {}});
  table.say(1, ChangeRecord{Change::join_group, a1, {group_of(1)}, {}});
  table.part({{1, 101}});
  const auto groups_told = [&] {
    std::vector<std::pair<Group, size_t>> groups;
    for (const Told& each : table.told)
      if (each.kind == Told::Kind::group) groups.emplace_back(each.group, each.joined.size());
    table.told.clear();
    return groups;
  };
  groups_told();
  table.say(1, ChangeRecord{Change::join_group, a1, {group_of(2), group_of(3)}, {}});
  EXPECT_EQ(groups_told(), (std::vector<std::pair<Group, size_t>>{{group_of(2), 1}, {group_of(3), 1}}));
  table.say(1, ChangeRecord{Change::leave_group, a1, {group_of(1)}, {}});
  EXPECT_EQ(groups_told(), (std::vector<std::pair<Group, size_t>>{{group_of(1), 0}}));
  table.say(1, ChangeRecord{Change::join_group, a2, {group_of(2)}, {}});
  EXPECT_EQ(groups_told(), (std::vector<std::pair<Group, size_t>>{{group_of(2), 2}}));
  table.say(1, ChangeRecord{Change::join, a3, {}, {}});
  table.say(1, ChangeRecord{Change::join_group, a3, {group_of(4)}, {}});
  EXPECT_TRUE(groups_told().empty());
  table.out.configure({true, {12, 1, 101}, {12, 1, 101}, {{1, 101}}});
  table.level.digest(table.out, table.out.effects.back(), table.told);
  const ConfigurationId in_force = table.level.configuration().id;
  table.say(1, Opening{in_force, 2, {{a1, true, {group_of(2), group_of(3)}}, {a2, true, {group_of(2)}}, {a3, false, {group_of(4)}}}});
  EXPECT_EQ(groups_told(), (std::vector<std::pair<Group, size_t>>{{group_of(4), 1}}));
}

}  // namespace
}  // namespace evs::ordering
