// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/hpp_test.cc - evs/evs.hpp: what it adds to evs.h, over a libevs whose transport is loopback.
//
// The C calls have tests of their own; here it is values, copies and answers. Callbacks: hpp_callbacks_test.cc.
#include "evs/evs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <future>
#include <unordered_set>

#include "tests/unit/hpp_loopback.h"

namespace {

using evs::Bus;
using evs::Dispatch;
using evs::Event;
using evs::Group;
using evs::Guarantee;
using evs::Options;
using evs::test::drain;
using evs::test::loopback;
using evs::test::opened;
using evs::test::say;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
std::optional<T> next_of(Bus& bus) {
  while (auto event = bus.next())
    if (T* wanted = std::get_if<T>(&*event)) return std::move(*wanted);
  return std::nullopt;
}

bool readable(int fd) {
  pollfd watch{fd, POLLIN, 0};
  return ::poll(&watch, 1, 0) == 1;
}

TEST(Group, ANameIsPaddedAndNeverCut) {
  const auto group = Group::from("chat");
  ASSERT_TRUE(group);
  EXPECT_EQ(group->name(), "chat");
  EXPECT_EQ(std::string_view(group->key().key, 32), std::string("chat") + std::string(28, '\0'));
  EXPECT_TRUE(Group::from(std::string(32, 'x')));
  EXPECT_EQ(Group::from(std::string(32, 'x'))->name(), std::string(32, 'x'));
  const auto long_name = Group::from(std::string(33, 'x'));
  ASSERT_FALSE(long_name);
  EXPECT_EQ(long_name.error(), CS_ERR_NAME_TOO_LONG);
  EXPECT_STREQ(long_name.error().what(), cs_strerror(CS_ERR_NAME_TOO_LONG));
}

TEST(Group, ALiteralANameAndAKeyOfCAreOneGroup) {
  const struct evs_group key = {{'c', 'h', 'a', 't'}};
  constexpr Group literal("chat");
  EXPECT_EQ(literal, *Group::from("chat"));
  EXPECT_EQ(literal, Group(key));
  EXPECT_NE(literal, Group("chatter"));
  EXPECT_LT(Group("a"), Group("b"));
  EXPECT_GT(*Group::from("\xff"), Group("b")) << "bytes, not signed characters";
  const std::unordered_set<Group> set{literal, Group(key), "other"};
  EXPECT_EQ(set.size(), 2u);
}

TEST(Group, EveryByteOfAKeyCounts) {
  const std::byte inner[] = {std::byte{0}, std::byte{1}};
  const auto group = Group::from(evs::Bytes(inner));
  ASSERT_TRUE(group);
  EXPECT_NE(*group, Group());
  EXPECT_EQ(group->name().size(), 2u);
}

TEST(Result, AnErrorIsAValueAndAnErrorCode) {
  const evs::Result<int> none = evs::Error(CS_ERR_TRY_AGAIN);
  EXPECT_FALSE(none.ok());
  EXPECT_THROW((void)none.value(), std::bad_variant_access);
  const std::error_code code = evs::make_error_code(none.error());
  EXPECT_EQ(code.value(), CS_ERR_TRY_AGAIN);
  EXPECT_STREQ(code.category().name(), "evs");
  EXPECT_EQ(code.message(), cs_strerror(CS_ERR_TRY_AGAIN));
  EXPECT_TRUE(evs::Result<void>());
  EXPECT_EQ(evs::Result<void>().code(), CS_OK);
  static_assert(sizeof(evs::Result<void>) == sizeof(cs_error_t));
}

TEST(Open, ATransportThatIsNotThereIsNamed) {
  std::string reason;
  const auto bus =
      Bus::open(Options().bus("hpp_test").config_file("/dev/null").parameter("local.transport", "nosuch"), &reason);
  ASSERT_FALSE(bus);
  EXPECT_EQ(bus.error(), CS_ERR_NOT_EXIST);
  EXPECT_THAT(reason, HasSubstr("nosuch"));
}

TEST(Open, ABadParameterIsNamed) {
  std::string reason;
  const auto bus = Bus::open(loopback().parameter("local.ring_sise", "4MiB"), &reason);
  ASSERT_FALSE(bus);
  EXPECT_EQ(bus.error(), CS_ERR_INVALID_PARAM);
  EXPECT_THAT(reason, HasSubstr("local.ring_sise"));
}

TEST(Next, TheFirstEventIsTheRegularConfigurationOneStartsIn) {
  Bus bus = opened(loopback());
  const auto event = bus.next();
  ASSERT_TRUE(event);
  const auto* first = std::get_if<evs::Configuration>(&*event);
  ASSERT_NE(first, nullptr);
  EXPECT_TRUE(first->regular());
  EXPECT_FALSE(first->merged || first->expelled);
  const auto membership = bus.membership();
  ASSERT_TRUE(membership);
  ASSERT_EQ(first->joined.size(), 1u);
  EXPECT_EQ(first->joined[0].nodeid, membership->nodeid);
  EXPECT_EQ(first->joined[0].pid, getpid());
  EXPECT_THAT(membership->members, ::testing::Contains(membership->nodeid));
  EXPECT_EQ(first->members.size(), membership->members.size());
}

TEST(Next, AMessageArrivesOwnedAndWithAllThatIsKnownOfIt) {
  Bus bus = opened(loopback());
  drain(bus);
  ASSERT_TRUE(bus.join("one"));
  const Group both[] = {"one", "two"};
  const std::string_view text = "to both";
  ASSERT_TRUE(bus.send_to(both, Guarantee::safe, evs::bytes(text)));
  ASSERT_TRUE(say(bus, ""));
  const auto message = next_of<evs::Message>(bus);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), text);
  EXPECT_EQ(message->pid, getpid());
  EXPECT_EQ(message->nodeid, bus.membership()->nodeid);
  EXPECT_EQ(message->guarantee, Guarantee::safe);
  EXPECT_THAT(message->groups, ElementsAre(Group("one"), Group("two")));
  EXPECT_NE(message->configuration.sequence, 0u);
  const auto empty = next_of<evs::Message>(bus);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->data.empty());
  EXPECT_THAT(empty->groups, ElementsAre(Group("one")));
  EXPECT_GT(empty->sequence, message->sequence);
  EXPECT_EQ(empty->configuration, message->configuration);
}

TEST(Next, NothingWaitingAndNothingEverAgainAreToldApart) {
  Bus bus = opened(loopback());
  drain(bus);
  evs::Result<void> outcome;
  EXPECT_FALSE(bus.next(&outcome));
  EXPECT_TRUE(outcome.try_again());
  ASSERT_TRUE(bus.close());
  EXPECT_FALSE(bus.next(&outcome));
  EXPECT_EQ(outcome.code(), CS_ERR_BAD_HANDLE);
  EXPECT_FALSE(bus.wait_next(&outcome));
  EXPECT_EQ(outcome.code(), CS_ERR_BAD_HANDLE);
}

TEST(Next, TellsWhoJoinsAndLeavesAGroup) {
  Bus bus = opened(loopback());
  drain(bus);
  ASSERT_TRUE(bus.join("watched"));
  const auto joined = next_of<evs::GroupChange>(bus);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->group, Group("watched"));
  EXPECT_EQ(joined->pid, getpid());
  EXPECT_EQ(joined->reason, evs::Reason::joined);
}

TEST(Next, WaitNextWaitsForIt) {
  Bus bus = opened(loopback());
  drain(bus);
  ASSERT_TRUE(bus.join("slow"));
  drain(bus);
  auto waiting = std::async(std::launch::async, [&] { return bus.wait_next(); });
  Bus sender = opened(loopback());
  ASSERT_TRUE(sender.send_to(Group("slow"), Guarantee::agreed, evs::bytes("at last")));
  const auto event = waiting.get();
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<evs::Message>(*event).text(), "at last");
}

TEST(Send, ABatchStopsAtTheFirstThatFails) {
  Bus bus = opened(loopback());
  drain(bus);
  ASSERT_TRUE(bus.join("g"));
  const auto limits = bus.limits();
  ASSERT_TRUE(limits);
  const std::vector<std::byte> big(limits->message_bytes + 1);
  const Group other[] = {"other"};
  const evs::Outgoing good[] = {
      {.data = evs::bytes("1")}, {.groups = other, .data = evs::bytes("2")}, {.data = evs::bytes("3")}};
  const auto all = bus.send_batch(good);
  EXPECT_TRUE(all.outcome);
  EXPECT_EQ(all.sent, 3u);
  const evs::Outgoing bad[] = {{.data = evs::bytes("4")}, {.data = big}, {.data = evs::bytes("5")}};
  const auto some = bus.send_batch(bad);
  EXPECT_EQ(some.outcome.code(), CS_ERR_TOO_BIG);
  EXPECT_EQ(some.sent, 1u);
  for (const char* text : {"1", "3", "4"}) {
    const auto message = next_of<evs::Message>(bus);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), text);
  }
  EXPECT_FALSE(next_of<evs::Message>(bus));
}

TEST(Send, WaitsForRoomAndRoomIsAnEvent) {
  Bus bus = opened(loopback());
  drain(bus);
  ASSERT_TRUE(bus.join("g"));
  drain(bus);
  const std::vector<std::byte> data(64 << 10);
  EXPECT_TRUE(bus.send_wait(Guarantee::agreed, data, evs::kNoTimeout)) << "there is room at once";
  size_t sent = 1;
  evs::Result<void> outcome;
  while ((outcome = bus.send(Guarantee::agreed, data))) ASSERT_LT(++sent, 100'000u) << "never full";
  ASSERT_TRUE(outcome.try_again()) << outcome.error().what();
  EXPECT_EQ(bus.send_wait(Guarantee::agreed, data, std::chrono::milliseconds(5)).code(), CS_ERR_TIMEOUT);
  EXPECT_GE(bus.status()->try_again, 1u);
  size_t messages = 0, rooms = 0;
  while (const auto event = bus.next()) {
    messages += std::holds_alternative<evs::Message>(*event);
    rooms += std::holds_alternative<evs::Room>(*event);
  }
  EXPECT_EQ(messages, sent);
  EXPECT_EQ(rooms, 1u);
  EXPECT_TRUE(bus.send_wait({}, Guarantee::agreed, data, std::chrono::nanoseconds(-1))) << "no wait is not no send";
}

TEST(Look, DescriptorIsReadableWhileSomethingWaits) {
  Bus bus = opened(loopback());
  const auto fd = bus.fd();
  ASSERT_TRUE(fd);
  EXPECT_TRUE(readable(*fd)) << "the first configuration waits";
  drain(bus);
  EXPECT_FALSE(readable(*fd));
  ASSERT_TRUE(bus.join("g"));
  drain(bus);
  EXPECT_FALSE(readable(*fd));
  ASSERT_TRUE(say(bus, "a"));
  EXPECT_TRUE(readable(*fd));
  drain(bus);
  EXPECT_FALSE(readable(*fd));
}

TEST(Look, FiguresAndMembers) {
  Bus bus = opened(loopback());
  drain(bus);
  ASSERT_TRUE(bus.join("here"));
  drain(bus);
  const auto members = bus.group_members("here");
  ASSERT_TRUE(members) << members.error().what();
  ASSERT_EQ(members->size(), 1u);
  EXPECT_EQ(members->front().pid, getpid());
  EXPECT_TRUE(bus.group_members("nobody's")->empty());
  ASSERT_TRUE(say(bus, "12345"));
  drain(bus);
  const auto status = bus.status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->joined_groups, 1u);
  EXPECT_EQ(status->delivered_messages, 1u);
  EXPECT_EQ(status->delivered_bytes, 5u);
  EXPECT_EQ(status->nodeid, members->front().nodeid);
  const auto limits = bus.limits();
  ASSERT_TRUE(limits);
  EXPECT_EQ(limits->handles, unsigned(EVS_MAX_HANDLES));
  EXPECT_EQ(limits->groups_per_call, unsigned(EVS_MAX_GROUPS_PER_CALL));
  ASSERT_TRUE(bus.leave("here"));
  EXPECT_EQ(bus.leave("here").code(), CS_ERR_NOT_EXIST);
}

}  // namespace
