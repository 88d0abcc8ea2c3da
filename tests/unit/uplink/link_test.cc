// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/link_test.cc - hosts that are joined by links over a medium within one thread, in virtual time.
#include <gtest/gtest.h>

#include "tests/unit/uplink/link_world.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

TEST(Link, HostsFormARingAndDeliver) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return std::all_of(world.logs.begin(), world.logs.end(), [](const LinkLog& log) { return log.messages.size() == 1; }); }));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(world.air.at(i).marked.size(), 2u) << "whom it could open packets of it has vouched for";
}

// Joins and commits of so many do not fit into frames of an Ethernet's size.
TEST(Link, MoreHostsThanAFrameHasRoomFor) {
  World world(24);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.say(5, "hello");
  ASSERT_TRUE(world.until([&] { return std::all_of(world.logs.begin(), world.logs.end(), [](const LinkLog& log) { return log.messages.size() == 1; }); }));
  uint64_t cut = 0;
  for (const auto& link : world.links) cut += link->outgoing().counts().cut;
  EXPECT_NE(cut, 0u);
}

TEST(Link, ALogWithoutRoomHoldsDeliveriesUntilThereIsSome) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.logs[1].room_left = 0;
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return world.logs[2].messages.size() == 1 && world.links[1]->protocol().is_held(); }));
  EXPECT_TRUE(world.logs[1].messages.empty());
  world.logs[1].room_left = 1000;
  ASSERT_TRUE(world.until([&] { return world.logs[1].messages.size() == 1; }));
  EXPECT_TRUE(world.one_ring());
}

TEST(Link, WhoNeverHasRoomLeavesAndTheOthersGoOn) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.logs[1].room_left = 0;
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return world.links[0]->protocol().members().size() == 2; }));
  world.logs[1].room_left = 1000;
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  EXPECT_EQ(world.logs[1].messages.size(), 1u);
}

// The gateway of a host is gone, and another one goes on from what it stored: each message is in its log once, and the others are joined again.
TEST(Link, ASuccessorGoesOnFromWhatWasStored) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  for (int i = 0; i < 20; ++i) world.say(1, "m" + std::to_string(i), static_cast<Service>(i % 4));
  ASSERT_TRUE(world.until([&] { return world.logs[1].messages.size() >= 5; }));
  world.make(0, 2);
  world.air.at(0).inbox.clear();
  world.links[0]->resume(world.now, world.logs[0].stored);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.say(0, "last");
  ASSERT_TRUE(world.until([&] { return std::all_of(world.logs.begin(), world.logs.end(), [](const LinkLog& log) { return !log.messages.empty() && log.messages.back() == "last"; }); }));
  for (const LinkLog& log : world.logs)
    for (size_t i = 0; i < log.messages.size(); ++i) EXPECT_EQ(std::count(log.messages.begin(), log.messages.end(), log.messages[i]), 1) << log.messages[i];
  EXPECT_EQ(world.logs[1].messages.size(), 21u);
  std::sort(world.logs[1].messages.begin(), world.logs[1].messages.end());
  std::sort(world.logs[2].messages.begin(), world.logs[2].messages.end());
  EXPECT_EQ(world.logs[2].messages, world.logs[1].messages);
}

// The medium is told, so that it does not say that nobody is there.
TEST(Link, WhoTookLeaveIsForgottenAndWhoDiedIsNot) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.pass(kSecond);
  const auto remaining = [&] { return world.links[0]->protocol().members().size(); };
  world.links[2]->leave(world.now);
  ASSERT_TRUE(world.until([&] { return remaining() == 2; }));
  world.pass(kSecond);
  EXPECT_EQ(world.air.at(0).marked, (std::set<uint32_t>{1}));
  world.air.at(0).loses = [](uint32_t, bool, size_t) { return true; };
  ASSERT_TRUE(world.until([&] { return remaining() == 1; }));
  world.pass(kSecond);
  EXPECT_EQ(world.air.at(0).marked, (std::set<uint32_t>{1}));
}

// What comes behind an effect that could not be carried out may depend on it: to the others this host has died there.
TEST(Link, NothingHappensBehindWhatCouldNotBeStored) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.logs[1].cannot_store = true;
  world.say(1, "never stored");
  ASSERT_TRUE(world.until([&] { return world.links[0]->protocol().members().size() == 2 && world.links[2]->protocol().members().size() == 2; }));
  EXPECT_TRUE(world.logs[1].over);
  EXPECT_EQ(world.logs[1].carried_out_behind, 0u);
  for (const size_t host : {0, 2}) EXPECT_TRUE(world.logs[host].messages.empty()) << "it was sent";
}

TEST(Link, AClosedMediumIsSaidInWords) {
  World world(2);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  EXPECT_EQ(world.links[0]->failure(), "");
  world.air.at(0).failure = EVS_P_CLOSED;
  world.links[0]->turn(world.now);
  EXPECT_NE(world.links[0]->failure().find("closed"), std::string::npos);
}

// Somebody sends faster than anybody can read: the pause before it is noticed, and the link comes back.
TEST(Link, AFloodBehindAPauseIsNotReadForEver) {
  World world(2);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  for (int i = 0; i < 100'000; ++i) world.air.at(0).inbox.push_back({7, std::vector<std::byte>(60)});
  world.now = world.now + 10'000 * kMs;
  world.links[0]->turn(world.now);
  EXPECT_EQ(world.links[0]->counts().not_flushed, 1u);
  EXPECT_FALSE(world.air.at(0).inbox.empty());
}

}  // namespace
}  // namespace evs::runtime::uplink
