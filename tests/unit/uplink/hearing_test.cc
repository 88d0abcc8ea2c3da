// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hearing_test.cc - a network that carries one thing and not another is named by whom it concerns, in one line; a good one never.
#include <gtest/gtest.h>

#include "tests/unit/uplink/link_world.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr Duration kLong = 30'000 * kMs;

// From the beginning on: what was said before is lost, too.
void lose(World& world, size_t to, std::function<bool(uint32_t from, bool to_all, size_t size)> what) {
  world.air.at(to).loses = std::move(what);
  world.air.at(to).inbox.clear();
}
size_t warnings(const World& world, size_t host, const char* kind) {
  return static_cast<size_t>(
      std::count_if(world.told[host].begin(), world.told[host].end(), [&](const Line& line) { return line.level >= Level::warning && std::string(line.kind) == kind; }));
}

TEST(Hearing, AllIsWellIsSaidOnce) {
  World world(3);
  world.pass(kLong);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(world.told_of(i, "the network does its part"), 1u);
    EXPECT_EQ(warnings(world, i, "uplink.hearing") + warnings(world, i, "uplink.mtu"), 0u);
  }
  EXPECT_EQ(world.told_of(0, "this host and 2, 3 hear each other, in what is sent to all and in packets of 1472 bytes"), 1u);
}

// Fixed peers and unicast: such a medium never says what was sent to all, and that is no fault.
TEST(Hearing, AMediumThatTellsNothingIsWellToo) {
  World world(3, 1472, false);
  world.pass(kLong);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(world.told_of(i, "the network does its part"), 1u);
    EXPECT_EQ(warnings(world, i, "uplink.hearing"), 0u);
  }
}

TEST(Hearing, MulticastIsBlockedOneWay) {
  World world(3);
  lose(world, 1, [](uint32_t from, bool to_all, size_t) { return from == 2 && to_all; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "host 2 (this one) does not hear what host 3 sends to all, though packets from it to this host alone arrive"), 1u);
  EXPECT_EQ(world.told_of(1, "udp port 5410"), 1u);
  EXPECT_EQ(warnings(world, 0, "uplink.hearing"), 0u);
  EXPECT_EQ(warnings(world, 2, "uplink.hearing"), 0u) << "it hears all";
  for (size_t i = 1; i < 3; ++i) EXPECT_EQ(world.told_of(i, "the network does its part"), 0u);
}

// They never heard each other, so neither knows where the other is; the third one's word is all there is.
TEST(Hearing, MulticastIsBlockedBothWaysFromTheBeginningOn) {
  World world(3);
  lose(world, 1, [](uint32_t from, bool to_all, size_t) { return from == 2 && to_all; });
  lose(world, 2, [](uint32_t from, bool to_all, size_t) { return from == 1 && to_all; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "nothing from host 3 arrives here, though host 1 hears it"), 1u);
  EXPECT_EQ(world.told_of(2, "nothing from host 2 arrives here, though host 1 hears it"), 1u);
  EXPECT_EQ(warnings(world, 0, "uplink.hearing"), 0u);
}

TEST(Hearing, MulticastIsBlockedBothWaysLaterOn) {
  World world(3);
  ASSERT_TRUE(world.until([&] { return world.one_ring(); }));
  world.pass(5000 * kMs);
  lose(world, 1, [](uint32_t from, bool to_all, size_t) { return from == 2 && to_all; });
  lose(world, 2, [](uint32_t from, bool to_all, size_t) { return from == 1 && to_all; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "does not hear what host 3 sends to all"), 1u);
  EXPECT_EQ(world.told_of(2, "does not hear what host 2 sends to all"), 1u);
  for (size_t i = 1; i < 3; ++i) lose(world, i, [](uint32_t, bool, size_t) { return false; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "what it sends to all arrives here again"), 1u);
  EXPECT_TRUE(world.one_ring());
}

// Nobody else is there to tell: who is heard and does not hear is named by who hears it.
TEST(Hearing, TwoHostsWithALinkThatWorksOneWay) {
  World world(2);
  lose(world, 1, [](uint32_t, bool, size_t) { return true; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(0, "host 2 hears nothing from this host, though this host hears it: the link works one way"), 1u);
  EXPECT_EQ(world.told_of(1, "no other host of this bus is heard"), 1u);
}

TEST(Hearing, SmallPacketsArriveAndLargeOnesDoNot) {
  World world(3);
  lose(world, 1, [](uint32_t from, bool, size_t size) { return from == 2 && size > 1200; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "large packets of host 3 do not arrive here, though small ones do"), 1u);
  EXPECT_EQ(warnings(world, 0, "uplink.mtu") + warnings(world, 2, "uplink.mtu"), 0u);
}

TEST(Hearing, APathThatBecomesNarrowIsNoticed) {
  World world(2);
  world.pass(kLong);
  lose(world, 1, [](uint32_t, bool, size_t size) { return size > 1200; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "large packets of host 1 do not arrive here"), 1u);
  EXPECT_EQ(warnings(world, 0, "uplink.mtu"), 0u);
  lose(world, 1, [](uint32_t, bool, size_t) { return false; });
  world.pass(kLong);
  EXPECT_EQ(world.told_of(1, "its large packets arrive here again"), 1u);
}

// Neither names who is gone nor who pauses, though for a while some count it as heard and some do not.
TEST(Hearing, WhoIsGoneIsNoFaultOfTheNetwork) {
  for (const Duration phase : {0, 100, 300, 500, 700, 900}) {
    World world(4);
    world.pass(8000 * kMs + phase * kMs);
    for (size_t i = 0; i < 3; ++i) lose(world, i, [](uint32_t from, bool, size_t) { return from == 3; });
    world.air.at(3).failure = EVS_P_CLOSED;
    lose(world, 3, [](uint32_t, bool, size_t) { return true; });
    world.pass(kLong);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(warnings(world, i, "uplink.hearing") + warnings(world, i, "uplink.mtu"), 0u) << phase << " ms, host " << i + 1;
  }
}

TEST(Hearing, WhoBeginsAnewIsNoFaultEither) {
  World world(3);
  world.pass(8000 * kMs);
  world.make(2, 2);
  world.air.at(2).inbox.clear();
  world.links[2]->start(world.now);
  world.pass(kLong);
  EXPECT_TRUE(world.one_ring());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(warnings(world, i, "uplink.hearing") + warnings(world, i, "uplink.mtu"), 0u) << "host " << i + 1;
}

// Each twentieth packet is lost, of all kinds: a bad network, and none that blocks anything.
TEST(Hearing, LossIsNotTakenForABlock) {
  World world(3);
  uint32_t dice = 1;
  for (size_t i = 0; i < 3; ++i) lose(world, i, [&](uint32_t, bool, size_t) { return (dice = dice * 1664525 + 1013904223) >> 16 <= 65536 / 20; });
  world.pass(10 * kLong);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(warnings(world, i, "uplink.hearing") + warnings(world, i, "uplink.mtu"), 0u) << "host " << i + 1;
}

// A host that says what nobody writes, with the key, names hosts without end.
TEST(Hearing, WhoNamesWithoutEndFillsNothing) {
  Hearing hearing(1);
  hearing.begin(Instant{0});
  bool large = false;
  for (uint32_t round = 0; round < 100; ++round) {
    Hello hello{.to_all = true, .large = false, .large_sent = 0, .heard = {}};
    for (uint32_t i = 0; i < kMostInHello; ++i) hello.heard.push_back({2 + 1000 * round + i, true, true});
    hearing.heard(Instant{round * Hearing::kPeriod}, {1'000'000, 1}, hello);
    EXPECT_LE(hearing.say(Instant{round * Hearing::kPeriod}, large).heard.size(), kMostInHello);
    EXPECT_LE(hearing.faults(Instant{round * Hearing::kPeriod}).size(), Hearing::kMostNamed + 1);
  }
}

}  // namespace
}  // namespace evs::runtime::uplink
