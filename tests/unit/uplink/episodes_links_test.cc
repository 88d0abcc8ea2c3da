// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/episodes_links_test.cc - what links say of what they went through, over a medium within one thread.
#include <gtest/gtest.h>

#include "tests/unit/uplink/link_world.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;


TEST(EpisodesOf, ALinkThatFormsARingAndLosesIt) {
  World world(3);
  world.pass(5 * kSecond);
  EXPECT_EQ(world.told_of(0, "of hosts 1, 2, 3 (this is host 1) formed in"), 1u);
  for (size_t i = 0; i < 2; ++i) world.air.at(i).loses = [](uint32_t from, bool, size_t) { return from == 2; };
  world.air.at(2).loses = [](uint32_t, bool, size_t) { return true; };
  world.air.at(2).failure = EVS_P_CLOSED;
  world.pass(10 * kSecond);
  EXPECT_EQ(world.told_of(0, "host 3 (station 2) is lost: "), 1u);
  EXPECT_EQ(world.told_of(1, "host 3 (station 2) is lost: "), 1u);
  EXPECT_EQ(world.told_of(2, "the uplink is over: the medium is closed"), 1u);
}

TEST(EpisodesOf, ALinkWhoseReadersAreSlow) {
  World world(3);
  world.pass(3 * kSecond);
  world.logs[1].room_left = 0;
  world.say(0, "hello");
  ASSERT_TRUE(world.until([&] { return world.links[0]->protocol().members().size() == 2; }));
  world.logs[1].room_left = 1000;
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.pass(3 * kSecond);
  EXPECT_EQ(world.told_of(1, "this host holds the ring up: its log is full"), 1u);
  EXPECT_EQ(world.told_of(1, "this host has left the ring"), 1u);
  EXPECT_EQ(world.told_of(0, "host 2 (station 1) left") + world.told_of(0, "host 2 (station 1) is lost"), 1u);
}

TEST(EpisodesOf, ALinkThatDidNotRun) {
  World world(2);
  world.pass(3 * kSecond);
  world.now = world.now + 7 * kSecond;
  world.pass(3 * kSecond);
  EXPECT_EQ(world.told_of(0, "this process, its host's gateway, did not run for"), 1u);
}

// A machine that was cloned with its id, while the other one is on the ring. Neither goes here, which is the gateway's doing.
TEST(EpisodesOf, LinksThatShareAnId) {
  World world(3);
  world.pass(3 * kSecond);
  world.make(2, 5, 2);
  world.links[2]->start(world.now);
  world.pass(50 * kSecond);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(world.told_of(i, "host id 2 is used by two hosts: "), 1u);
    EXPECT_EQ(world.told_of(i, i == 0 ? ": station " : ": this one and station "), 1u);
    EXPECT_EQ(world.told_of(i, "the token is lost again and again"), 0u) << "it is, and what is told already is why";
    EXPECT_LE(world.told_of(i, "rings come and go"), 1u);
    EXPECT_EQ(world.told_of(i, "since half a minute"), 0u) << "they have not come to rest";
    EXPECT_LE(world.told[i].size(), 12u);
  }
  EXPECT_TRUE(world.links[2]->must_go(world.now)) << "it came";
}

// The token's way does not need the one that is cut, and what is missed is said again by the third: the ring goes on, and only this tells why it is slow.
TEST(EpisodesOf, ALinkThatOneOfTheOthersDoesNotHear) {
  World world(3);
  world.pass(3 * kSecond);
  world.air.at(2).loses = [](uint32_t from, bool, size_t) { return from == 0; };
  world.pass(50 * kSecond);
  EXPECT_TRUE(world.one_ring());
  EXPECT_EQ(world.told_of(0, "host 3 hears nothing from this host, though this host hears it: the link works one way"), 1u);
  EXPECT_EQ(world.told_of(2, "nothing from host 1 arrives here, though host 2 hears it"), 1u);
  for (const Line& line : world.told[1]) EXPECT_EQ(line.level, Level::info) << line.text;
}

TEST(EpisodesOf, ALinkThatHearsAnotherVersion) {
  World world(2);
  world.pass(3 * kSecond);
  // Sealed as host 2 seals (in the clear here), and nothing that this version writes.
  sealing::Settings settings;
  settings.host = 2;
  settings.life = {1, 1001};
  settings.first_counter = 1'000'000;
  const auto seal = std::move(*sealing::Sealing::begin(settings));
  for (int i = 0; i < 20; ++i) {
    std::vector<std::byte> packet(60), room(200);
    std::vector<sealing::ToSeal> one{{packet, room}};
    ASSERT_EQ(seal->seal(one), sealing::SealStatus::ok);
    room.resize(one[0].size);
    world.air.at(0).inbox.push_back({1, room});
    world.pass(kSecond);
  }
  EXPECT_EQ(world.told_of(0, "packets of host 2 are not understood"), 1u);
  EXPECT_EQ(world.told_of(1, "not understood"), 0u);
}

TEST(EpisodesOf, ALinkWithAnotherKeyAndOfKeysThatAreReadAgain) {
  World world(2);
  world.pass(3 * kSecond);
  std::vector<std::byte> sealed(100);
  sealing::write_header(sealed.data(), {sealing::Form::sealed, 7, 9, {1, 1}, 1});
  for (int i = 0; i < 50; ++i) world.air.at(0).inbox.push_back({1, sealed});
  EXPECT_FALSE(world.links[0]->reload_key()) << "it began in the clear";
  world.pass(kSecond);
  EXPECT_EQ(world.told_of(0, "packets in the name of host 9 are sealed, and this host is configured with uplink.security"), 1u);
  EXPECT_EQ(world.told_of(0, "the key file was not taken, and the keys stay as they were"), 1u);
}

}  // namespace
}  // namespace evs::runtime::uplink
