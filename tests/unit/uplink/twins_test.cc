// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/twins_test.cc - when two hosts go by one id, and which of them goes; and who listens until the other one is silent.
#include "bus/runtime/uplink/twins.h"

#include <gtest/gtest.h>

#include "bus/runtime/uplink/lookout.h"
#include "tests/unit/uplink/link_world.h"

namespace evs::runtime::uplink {
namespace {

using namespace ordering;

constexpr Duration kPeriod = kSecond;

Instant at(Duration ms) { return {ms * kMs}; }
Twins twins(uint64_t nonce = 50, bool sealed = false) {
  Twins made({1, nonce}, kPeriod, sealed);
  made.begin(at(0));
  return made;
}

TEST(Twins, AGatewayThatFollowsAKilledOneIsNone) {
  Twins seen = twins();
  seen.changed(at(100), {2, 7}, "a", {2, 8}, "a");
  seen.changed(at(101), {2, 8}, "a", {2, 7}, "a");  // what was on its way
  seen.changed(at(102), {2, 7}, "a", {2, 8}, "a");
  seen.changed(at(9'000), {2, 8}, "a", {2, 9}, "a");
  EXPECT_EQ(seen.total(), 0u);
}

TEST(Twins, OfAnotherHostBothAreNamed) {
  Twins seen = twins();
  seen.changed(at(100), {2, 7}, "a", {2, 8}, "b");
  seen.changed(at(700), {2, 8}, "b", {2, 7}, "a");
  EXPECT_EQ(seen.total(), 1u);
  EXPECT_EQ(seen.id(), 2u);
  EXPECT_EQ(seen.one() + seen.other(), "ba");
  EXPECT_FALSE(seen.must_go(at(700))) << "that is theirs to say";
}

TEST(Twins, ANewcomerGoesAtOnce) {
  Twins seen = twins();
  seen.own(at(900), 60, "b", false);
  EXPECT_FALSE(seen.must_go(at(900))) << "a hello alone may be of our own past";
  seen.own(at(1'900), 60, "b", false);
  EXPECT_TRUE(seen.must_go(at(1'900)));
  EXPECT_EQ(seen.other(), "b");
  Twins told = twins();
  told.own(at(900), 60, "b", true);
  EXPECT_TRUE(told.must_go(at(900)));
}

TEST(Twins, WhoWasThereStaysUnlessTheOtherWasThereTooAndHasTheHigherNonce) {
  for (const uint64_t other : {40, 60}) {
    Twins seen = twins(50);
    for (Duration ms = 20'000; ms < 25'000; ms += 1'000) {
      seen.own(at(ms), other, "b", true);
      EXPECT_FALSE(seen.must_go(at(ms))) << "a newcomer has its time to go";
    }
    seen.own(at(25'000), other, "b", true);
    EXPECT_EQ(seen.must_go(at(25'000)), other == 60);
    EXPECT_FALSE(seen.must_go(at(29'000))) << "it has gone";
  }
}

TEST(Twins, WhoOpensASealedOneIsTheOlder) {
  Twins seen = twins(50, true);
  seen.own(at(20'000), 40, "b", true);
  EXPECT_TRUE(seen.must_go(at(20'000)));
}

TEST(Lookout, ListensUntilTheOtherOneIsSilent) {
  World world(2);
  world.air.at(1).inbox.clear();
  sealing::Settings seal;
  seal.host = 1;
  seal.life = {0, 77};
  auto ear = std::move(*sealing::Sealing::begin(seal));
  const Medium medium = world.air.add();
  Lookout lookout({1, 77}, *ear, medium, "", world.now);
  for (int i = 0; i < 15; ++i) {
    world.pass(kSecond);
    EXPECT_FALSE(lookout.turn(world.now));
  }
  EXPECT_EQ(lookout.at(), "station 0");
  EXPECT_TRUE(world.air.at(2).sent.empty());
  world.links[0]->leave(world.now);
  world.pass(kSecond);
  EXPECT_FALSE(lookout.turn(world.now));
  world.pass(2 * Lookout::kQuiet);
  EXPECT_TRUE(lookout.turn(world.now)) << "host 2 is another one";
}

}  // namespace
}  // namespace evs::runtime::uplink
