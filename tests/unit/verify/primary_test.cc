// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/primary_test.cc - P1 to P5: primary configurations that are one chain, and each way in which they are none.
#include <gtest/gtest.h>

#include "tests/unit/verify/story.h"

namespace evs::verify {
namespace {

void declare(Story& s, const Nodeids& processes, const char* conf, uint64_t epoch, uint64_t of = 0) {
  for (const uint32_t p : processes) s.of(p).prim(s.name(conf), epoch, of);
}

// Hosts 1, 2 and 3 in "R", primary with epoch 2, of which all but 3 have heard; then 1 and 2 go on to "S", and 3 to "Q".
Story parted(uint64_t of = 0) {
  Story s = three_hosts();
  declare(s, {1, 2}, "R", 2, of);
  part(s);
  s.reg("S", 9, {1, 2});
  s.reg("Q", 8, {3});
  return s;
}

// And all three together again, in "V", which is primary with epoch 7.
void meet(Story& s) {
  s.trans("TS", {1, 2});
  s.trans("TQ", {3});
  s.reg("V", 13, {1, 2, 3});
  declare(s, {1, 2, 3}, "V", 7);
  s.end({1, 2, 3});
}

TEST(Primary, MoreThanHalfGoesOn) {
  Story s = parted();
  declare(s, {1, 2}, "S", 3);
  meet(s);
  EXPECT_EQ(broken(s), "") << told(check(s.run));
}

TEST(Primary, WithoutEpochsNothingIsAsked) {
  Story s = parted();
  declare(s, {1, 2}, "S", 0);
  declare(s, {3}, "Q", 0);
  meet(s);
  EXPECT_EQ(broken(s), "");
}

TEST(Primary, P1OneConfigurationHasOneEpoch) {
  Story s = parted();
  declare(s, {1}, "S", 3);
  declare(s, {2}, "S", 4);
  meet(s);
  EXPECT_EQ(broken(s), "P1");
}

TEST(Primary, P1OneEpochHasOneConfiguration) {
  Story s = parted();
  declare(s, {1, 2}, "S", 3);
  declare(s, {3}, "Q", 3);
  EXPECT_EQ(broken(s), "P1 P4");
}

TEST(Primary, P2EpochsRise) {
  Story s = parted();
  declare(s, {1, 2}, "S", 9);
  meet(s);
  EXPECT_EQ(broken(s), "P2 P3 P5");
}

TEST(Primary, P2OverIncarnationsToo) {
  Story s = parted(2);
  declare(s, {1, 2}, "S", 5, 2);
  s.of(1).fail();
  s.of(2).fail();
  s.boot(1, 2);
  s.reg("Z", 20, {1});
  declare(s, {1}, "Z", 4, 1);
  EXPECT_EQ(broken(s), "P2 P3 P5");
}

// Nobody was in both, and the epochs say that the former one is the later.
TEST(Primary, P3RingSequencesRiseWithEpochs) {
  Story s = parted(1);
  declare(s, {1, 2}, "S", 3, 1);
  declare(s, {3}, "Q", 4, 1);
  EXPECT_EQ(broken(s), "P3 P4");
}

TEST(Primary, P4HalfIsNoMajority) {
  Story s = three_hosts();
  declare(s, {1}, "R", 2);
  part(s);
  s.reg("S", 9, {1, 2});
  s.reg("Q", 8, {3});
  declare(s, {1, 2}, "S", 3);
  s.trans("TS1", {1});
  s.trans("TS2", {2});
  s.reg("X", 13, {1});
  s.reg("Y", 14, {2});
  declare(s, {1}, "X", 4);
  EXPECT_EQ(broken(s), "P4");
}

// Two chains out of one: each of the two is right by itself.
TEST(Primary, P4AForkIsFound) {
  Story s = parted();
  declare(s, {1, 2}, "S", 4);
  declare(s, {3}, "Q", 3);
  EXPECT_EQ(broken(s), "P4");
}

TEST(Primary, P4OfAFixedNumber) {
  Story s = parted(3);
  declare(s, {1, 2}, "S", 3, 3);
  EXPECT_EQ(broken(s), "");
  Story few = parted(3);
  declare(few, {3}, "Q", 3, 3);
  EXPECT_EQ(broken(few), "P4");
}

// 3 is in the later one and says that it was never in the former.
TEST(Primary, P5WhoIsInBothHasBeenInBoth) {
  Story s;
  for (const uint32_t p : {1u, 2u, 3u}) s.boot(p);
  s.reg("a", 1, {1});
  s.reg("b", 1, {2});
  s.reg("c", 1, {3});
  for (const uint32_t p : {1u, 2u}) s.trans({p}, p == 1 ? "ta" : "tb", {p});
  s.reg({1, 2}, "R", 5, {1, 2, 3});
  declare(s, {1, 2}, "R", 2);
  s.trans({1, 2}, "T", {1, 2});
  s.trans({3}, "tc", {3});
  s.reg("V", 13, {1, 2, 3});
  declare(s, {3}, "V", 3);
  EXPECT_EQ(broken(s), "P5");
}

TEST(Primary, WhatIsMissingIsNotHeldAgainstAnybody) {
  Story s = parted();
  declare(s, {3}, "Q", 3);
  EXPECT_EQ(broken(s), "P4");
  EXPECT_EQ(broken(s, {.partial = true}), "");
}

// Processes come and go within one ring of hosts; whether that follows on the one before no trace of theirs shows.
TEST(Primary, OfProcessesOneEpochMayHaveSeveral) {
  Story s(Level::process);
  for (const uint32_t p : {1u, 2u}) s.boot(p);
  s.reg("R", 5, {1, 2});
  declare(s, {1, 2}, "R", 2);
  s.trans({1}, "T", {1});
  s.of(2).fail();
  s.reg("S", 6, {1});
  declare(s, {1}, "S", 2);
  EXPECT_EQ(broken(s), "") << told(check(s.run));
  s.boot(3);
  s.reg("X", 7, {3});
  declare(s, {3}, "X", 3);
  EXPECT_EQ(broken(s), "");
  s.boot(4);
  s.reg("Y", 6, {4});
  declare(s, {4}, "Y", 4);
  EXPECT_EQ(broken(s), "P3");
}

TEST(Primary, P2OfProcesses) {
  Story s(Level::process);
  s.boot(1);
  s.reg("R", 5, {1});
  declare(s, {1}, "R", 3);
  s.trans("T", {1});
  s.reg("S", 6, {1});
  declare(s, {1}, "S", 2);
  EXPECT_EQ(broken(s), "P2 P3");
}

TEST(Primary, WhatStandsInTheWrongPlaceIsSaidOnce) {
  Story s = parted();
  declare(s, {1}, "R", 1);
  EXPECT_EQ(broken(s), "2.2");
}

}  // namespace
}  // namespace evs::verify
