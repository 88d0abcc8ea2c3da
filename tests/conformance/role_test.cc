// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/role_test.cc - evs.role/1: the reader that outlives whoever reads. Media without it are left out.
#include <unistd.h>

#include "tests/conformance/role.h"

namespace evs::conformance {
namespace {

using testing::ElementsAre;

class RoleStories : public testing::Test {
 protected:
  void SetUp() override {
    first_ = std::make_unique<Member>(bus_);
    if (Role::table_of(*first_) == nullptr) GTEST_SKIP() << "no " << EVS_EXTENSION_ROLE;
    second_ = std::make_unique<Member>(bus_);
  }
  uint64_t say(Member& who, const std::string& text, uint32_t kind = EVS_FRAME_MESSAGE) {
    uint64_t position = 0;
    Message message = to("g", text);
    message.kind = kind;
    EXPECT_EQ(who.append(message, &position), EVS_P_OK);
    return position;
  }
  // Appends until there is no room; how many.
  static uint32_t fill_up(Member& who, size_t size) {
    const Message message = to("g", std::string(size, 'x'));
    uint32_t count = 0;
    while (who.append(message) == EVS_P_OK) ++count;
    return count;
  }
  static bool said(Member& who, const std::string& text) { return lines_with(who, text) != 0; }
  const std::string bus_ = fresh_bus();
  std::unique_ptr<Member> first_, second_;
};

TEST_F(RoleStories, ReadsEverybodyInOrderAndGoesOnWhereTheLastOneKept) {
  say(*first_, "before");
  uint64_t third = 0;
  {
    Role role(*first_);
    EXPECT_EQ(role.status, EVS_P_OK);
    EXPECT_EQ(role.begun, say(*second_, "one")) << "at the end of the order";
    say(*first_, "two", EVS_FRAME_CONTROL);
    third = say(*second_, "three");
    EXPECT_THAT(role.drained(), ElementsAre("one", "two", "three"));
    EXPECT_EQ(role.reader->got()[0].nodeid, second_->who().nodeid);
    EXPECT_EQ(role.reader->got()[0].incarnation, second_->who().incarnation);
    EXPECT_EQ(role.reader->got()[1].kind, EVS_FRAME_CONTROL);
    evs_cursor* another = nullptr;
    uint64_t at = 0;
    EXPECT_EQ(role.table->open(first_->self(), &another, &at), EVS_P_NO_RESOURCES) << "one at a time";
    EXPECT_EQ(role.keep(third), EVS_P_OK);
    EXPECT_EQ(role.keep(role.begun), EVS_P_OK) << "a lower one changes nothing";
  }
  Role next(*second_);
  EXPECT_EQ(next.begun, third);
  EXPECT_THAT(next.drained(), ElementsAre("three")) << "what was read and not let go of is read again";
  EXPECT_THAT(next.drained(), ElementsAre());
  EXPECT_EQ(next.begin_at(third), EVS_P_OK);
  EXPECT_THAT(next.drained(), ElementsAre("three"));
}

TEST_F(RoleStories, RefusesPlacesThatCannotBe) {
  uint32_t committed = 7;
  for (const uint64_t none : {uint64_t{0}, EVS_ROLE_ALL_READ})
    EXPECT_EQ(Role::table_of(*first_)->keep(first_->self(), none), EVS_P_BAD_PARAMETER) << "nothing was ever kept";
  Role role(*first_);
  const uint64_t one = say(*second_, "one"), two = say(*second_, "two");
  EXPECT_EQ(role.keep(two + (1 << 20)), EVS_P_BAD_PARAMETER);
  EXPECT_EQ(role.keep(two + 1), EVS_P_BAD_PARAMETER);
  EXPECT_EQ(role.begin_at(two + (1 << 20)), EVS_P_BAD_PARAMETER);
  EXPECT_EQ(role.keep(two), EVS_P_OK);
  EXPECT_EQ(role.keep(EVS_ROLE_ALL_READ), EVS_P_OK) << "which is before that";
  std::byte buffer[64];
  size_t needed = 0;
  EXPECT_EQ(role.reader->ops().watch(role.reader->cursor(), buffer, sizeof buffer, &needed), EVS_P_NOT_SUPPORTED);
  EXPECT_EQ(role.reader->read(), EVS_P_BAD_PARAMETER) << "its place is before what is kept";
  EXPECT_EQ(role.begin_at(one), EVS_P_BAD_PARAMETER);
  EXPECT_EQ(role.begin_at(two), EVS_P_OK);
  EXPECT_THAT(role.drained(), ElementsAre("two"));
  Reader handle(*first_);
  EXPECT_EQ(role.table->begin_at(handle.cursor(), two), EVS_P_BAD_PARAMETER) << "a handle's cursor has no such place";
  EXPECT_EQ(role.table->settle(first_->self(), two, &committed), EVS_P_OK);
  EXPECT_EQ(committed, 1u);
  EXPECT_EQ(role.table->settle(first_->self(), two + (1 << 20), &committed), EVS_P_BAD_PARAMETER);
  role.reader->ops().park(role.reader->cursor());
  EXPECT_EQ(role.reader->read(), EVS_P_AGAIN);
  EXPECT_EQ(role.keep(EVS_ROLE_ALL_READ), EVS_P_BAD_PARAMETER) << "it has no place";
}

TEST_F(RoleStories, WhatIsKeptHoldsTheRoomAndNobodyIsBlamedForIt) {
  const std::string bus = fresh_bus();
  Member writer(bus, {{"slow_reader_timeout", "100ms"}}), gateway(bus, {{"slow_reader_timeout", "100ms"}});
  auto role = std::make_unique<Role>(gateway);
  const uint32_t lap = fill_up(writer, 1000);
  ASSERT_GT(lap, 100u);
  ASSERT_TRUE(until([&] { return said(writer, "the gateway"); }));
  EXPECT_TRUE(said(writer, "process " + std::to_string(getpid())));
  const uint32_t all = lap + fill_up(writer, 1000);  // what `lap` found no room for while memberships were being followed
  EXPECT_EQ(fill_up(writer, 1000), 0u);
  EXPECT_EQ(role->drained().size(), all) << "none was lost";
  EXPECT_EQ(fill_up(writer, 1000), 0u) << "reading alone moves nothing";
  for (int turn = 0; turn < 5; ++turn) {
    EXPECT_EQ(role->keep(role->reader->got().back().position), EVS_P_OK);
    EXPECT_EQ(writer.ops().wait_room(writer.self(), 1000, 1, kLong), EVS_P_OK) << "rung by keep()";
    const uint32_t more = fill_up(writer, 1000);
    EXPECT_GT(more, lap / 2);
    EXPECT_EQ(role->drained().size(), more);
  }
  evs_ordered_usage usage{};
  writer.ops().usage(writer.self(), &usage);
  EXPECT_GT(usage.used_bytes, usage.capacity_bytes / 2);
  EXPECT_EQ(usage.holder_nodeid, 0u);
  role.reset();
  gateway.stop();
  Member late(bus, {{"slow_reader_timeout", "100ms"}});
  fill_up(late, 1000);
  ASSERT_TRUE(until([&] { return said(late, "no process has that role"); }));
  EXPECT_EQ(fill_up(late, 1000), 0u) << "also while nobody has the role";
  EXPECT_FALSE(said(late, "expelled"));
  Role successor(late);
  EXPECT_GT(successor.drained().size(), lap / 2);
}

// Memberships are read by nobody's cursor here, and the largest messages need the ring to the last byte.
TEST_F(RoleStories, WithoutAnyCursorTheRingGoesRound) {
  const std::string bus = fresh_bus();
  const Parameters tight = {{"ring_size", "512KiB"}, {"message_limit", "120KiB"}, {"max_processes", "8"}};
  Member gateway(bus, tight), writer(bus, tight);
  Role role(gateway);
  const Message message{std::vector<evs_plugin_group>(writer.limits().groups_per_message, group("g")), std::string(writer.limits().message_bytes, 'y')};
  evs_ordered_usage usage{};
  writer.ops().usage(writer.self(), &usage);
  const auto let_go = [&] {
    role.drained();
    EXPECT_EQ(role.keep(EVS_ROLE_ALL_READ), EVS_P_OK) << "the last one alone would hold half of this ring";
  };
  const uint64_t deadline = now_ns() + kLong;
  for (uint64_t bytes = 0; bytes < 5 * usage.capacity_bytes;) {
    ASSERT_LT(now_ns(), deadline) << bytes;
    const int32_t status = writer.append(message);
    if (status == EVS_P_OK) {
      bytes += message.data.size() + 32 * message.groups.size();
      let_go();
      if (bytes % 3 == 0) Member(bus, tight).stop();  // the membership changes
      // What lies between is less than an eighth of the ring: followed by nobody until somebody lacks it.
      for (int i = 0; i < 60; ++i) writer.append(to("g", std::string(900, 's')));
    } else {
      ASSERT_EQ(writer.ops().wait_room(writer.self(), message.data.size(), static_cast<uint32_t>(message.groups.size()), kLong), EVS_P_OK) << bytes;
    }
    let_go();
  }
}

// A process that is the gateway, and has a handle that does not read: it is expelled as a reader, and carries on as the gateway.
TEST_F(RoleStories, ExpellingItsProcessAsAReaderDoesNotTouchIt) {
  const std::string bus = fresh_bus();
  const Parameters brisk = {{"slow_reader_timeout", "200ms"}};
  Member handles(bus, brisk), gateway(bus, brisk);
  Reader slow(handles);
  slow.join("g");
  Role role(gateway);
  const evs_ordered_member who = gateway.who();
  Member sender(bus, brisk);
  ASSERT_TRUE(until([&] {
    fill_up(sender, 1000);
    if (!role.drained().empty()) role.keep(role.reader->got().back().position);
    return lines_with(sender, "was expelled") + lines_with(gateway, "was expelled") != 0;
  }));
  EXPECT_EQ(slow.read(), EVS_P_EXPELLED);
  role.drained();
  EXPECT_EQ(gateway.append(to("g", "as ever")), EVS_P_OK);
  EXPECT_THAT(role.drained(), testing::Contains("as ever"));
  EXPECT_EQ(role.keep(role.reader->got().back().position), EVS_P_OK);
  EXPECT_EQ(gateway.who().incarnation, who.incarnation);
  // Who expels says so before its change has its place in the order.
  EXPECT_TRUE(until([&] { return membership_of(gateway).members.size() == 2; }));
  EXPECT_THAT(nodeids(membership_of(gateway).members), testing::UnorderedElementsAre(who.nodeid, sender.who().nodeid));
}

// A handle's cursor of the very transport that has the role: the process is expelled as a whole, and what is kept is there when it is back.
TEST_F(RoleStories, AfterARejoinItBeginsWhereItIsKept) {
  const std::string bus = fresh_bus();
  const Parameters brisk = {{"slow_reader_timeout", "200ms"}};
  Member gateway(bus, brisk), sender(bus, brisk);
  Reader slow(gateway);
  slow.join("g");
  Role role(gateway);
  const evs_ordered_member who = gateway.who();
  ASSERT_TRUE(until([&] {
    fill_up(sender, 1000);
    if (!role.reader->ops().pending(role.reader->cursor())) return false;
    while (role.reader->read() == EVS_P_OK) {}
    if (!role.reader->got().empty()) role.keep(role.reader->got().back().position);
    return lines_with(sender, "was expelled") != 0;
  }));
  EXPECT_EQ(role.reader->read(), EVS_P_EXPELLED);
  EXPECT_EQ(role.keep(EVS_ROLE_ALL_READ), EVS_P_EXPELLED);
  EXPECT_EQ(role.begin_at(role.begun), EVS_P_EXPELLED);
  const uint64_t kept = role.reader->got().back().position;
  uint64_t lost = 0;
  gateway.on_service_thread([&] { EXPECT_EQ(gateway.ops().rejoin(gateway.self(), &lost, nullptr), EVS_P_OK); });
  EXPECT_NE(gateway.who().incarnation + (uint64_t{gateway.who().nodeid} << 32), who.incarnation + (uint64_t{who.nodeid} << 32));
  ASSERT_FALSE(role.drained().empty());
  EXPECT_LE(role.reader->got().front().position, kept);
  EXPECT_EQ(role.keep(EVS_ROLE_ALL_READ), EVS_P_OK);
  say(sender, "after");
  EXPECT_THAT(role.drained(), ElementsAre("after"));
}

TEST_F(RoleStories, TheMembershipIsCurrentInAProcessWithoutCursors) {
  Role role(*first_);
  EXPECT_THAT(nodeids(membership_of(*first_).members), ElementsAre(first_->who().nodeid, second_->who().nodeid));
  const auto gone = std::make_unique<Member>(bus_);
  const evs_ordered_member who = gone->who();
  const uint64_t last = say(*gone, "last words");
  EXPECT_EQ(membership_of(*first_).members.size(), 3u);
  gone->stop();
  const Got after = membership_of(*first_);
  EXPECT_THAT(nodeids(after.members), ElementsAre(first_->who().nodeid, second_->who().nodeid));
  ASSERT_EQ(after.left.size(), 1u);
  EXPECT_EQ(after.left[0].nodeid, who.nodeid);
  EXPECT_EQ(after.left[0].reason, EVS_MEMBER_LEFT);
  EXPECT_GT(after.position, last) << "who is past it has read all that they said";
  EXPECT_THAT(role.drained(), ElementsAre("last words")) << "of who is no member any more";
  EXPECT_EQ(role.reader->got()[0].incarnation, who.incarnation);
}

TEST_F(RoleStories, ItsBellIsThatOfItsInterestsAndOfMemberships) {
  Role role(*first_);
  const evs_plugin_group g = group("g");
  ASSERT_EQ(role.reader->ops().interest_add(role.reader->cursor(), &g, 1), EVS_P_OK);
  ASSERT_GE(role.reader->ops().fd(role.reader->cursor()), 0);
  const auto arm = [&] {
    role.drained();
    return role.reader->ops().arm(role.reader->cursor());
  };
  ASSERT_EQ(arm(), EVS_P_AGAIN);
  EXPECT_FALSE(role.reader->readable());
  ASSERT_EQ(second_->append(to("other", "x")), EVS_P_OK);
  EXPECT_FALSE(role.reader->readable()) << "nothing of its";
  say(*second_, "y");
  EXPECT_TRUE(until([&] { return role.reader->readable(); }));
  EXPECT_EQ(role.reader->ops().lag(role.reader->cursor()) > 0, true);
  EXPECT_THAT(role.drained(), ElementsAre("x", "y")) << "it reads all, whatever rings";
  ASSERT_EQ(arm(), EVS_P_AGAIN);
  {
    Member third(bus_);
    EXPECT_TRUE(until([&] { return role.reader->readable(); })) << "somebody came";
    ASSERT_EQ(arm(), EVS_P_AGAIN);
  }
  EXPECT_TRUE(until([&] { return role.reader->readable(); })) << "somebody left";
  ASSERT_EQ(arm(), EVS_P_AGAIN);
  std::thread later([&] { say(*second_, "z"); });
  EXPECT_EQ(role.reader->ops().wait(role.reader->cursor(), kLong), EVS_P_OK);
  later.join();
}

}  // namespace
}  // namespace evs::conformance
