// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/resume_test.cc - a process is killed between two effects, and another one goes on (docs/protocol.md, "What a successor must
// know").
#include "tests/unit/ordering/resume_world.h"

namespace evs::ordering {
namespace {

TEST(Resume, WhoDiedBeforeItToldOfAnythingIsFollowedLikeAFirstOne) {
  OneHost host;
  host.kill_after(0);
  host.start();
  EXPECT_EQ(host.take_log(), "");
  host.resume();
  EXPECT_EQ(host.take_log(), "[1.1]");
}

TEST(Resume, TheOldRingEndsAndOneOfItsOwnFollowsUnderAnotherNonce) {
  OneHost host;
  host.start();
  const uint64_t sequence = host.stored.ring_sequence;
  host.resume();
  EXPECT_EQ(host.take_log(), "[1.0] T(1.0) [1.1]");
  EXPECT_GT(host.stored.ring_sequence, sequence);
  EXPECT_EQ(host.stored.lives, (std::vector<uint64_t>{kFirstNonce, kFirstNonce + 1}));
}

// A message of ours is stamped, stored, told to the outbox, delivered: whatever the place of the kill, it is delivered once, and sent once if it
// was stamped once.
TEST(Resume, OurMessageIsDeliveredOnceWhateverTheMomentOfDeath) {
  for (uint64_t effects = 0; effects < 8; ++effects) {
    OneHost host;
    host.start();
    host.take_log();
    host.kill_after(effects);
    host.submit("m");
    host.resume();
    host.resubmit();
    const std::string log = host.take_log();
    EXPECT_EQ(OneHost::count(log, "m"), 1u) << "killed behind " << effects << " effects: " << log;
    EXPECT_EQ(OneHost::count(log, "stamped"), 1u) << log;
  }
}

// So is one that its successor dies on, too.
TEST(Resume, ASuccessorThatIsKilledWhileItTakesOverHasASuccessorToo) {
  for (uint64_t effects = 0; effects < 12; ++effects) {
    OneHost host;
    host.start();
    host.take_log();
    host.kill_after(3);  // stored and told, but not delivered
    host.submit("m");
    host.kill_after(effects);
    host.resume();
    if (!host.up()) host.resume();
    const std::string log = host.take_log();
    EXPECT_EQ(OneHost::count(log, "m"), 1u) << "killed again behind " << effects << " effects: " << log;
    EXPECT_EQ(OneHost::count(log, "T("), OneHost::count(log, "[")) << "each end is followed by a beginning: " << log;
  }
}

TEST(Resume, WhatATokenHasToldOfIsDelivered) {
  RingPair pair;
  pair.form();
  pair.host(2).submit("s", Service::safe);
  pair.until_delivered(2, "s");  // because host 1 has told that it has it
  ASSERT_EQ(OneHost::count(pair.log(1), "s"), 0u) << "the story is of one that host 1 has not delivered";
  pair.host(1).kill();
  pair.host(1).resume();
  EXPECT_EQ(pair.log(1), "T(1.0) s [1.1]");
}

TEST(Resume, TheOthersLetTheDeadOneGoAtOnce) {
  RingPair pair;
  pair.form();
  pair.host(1).kill();
  pair.host(1).resume();
  const Instant killed = pair.now;
  pair.until([&] { return pair.one_ring(); });
  EXPECT_EQ(pair.log(2), "T(2.0) [1.1 2.0]");
  EXPECT_LT(pair.now - killed, pair.host(1).settings.token_lost) << "nobody waited for a token that does not come";
  EXPECT_EQ(pair.host(2).protocol().dropped(Drop::duplicate_host), 0u);
}

TEST(Resume, WhoDoesNotNameItsPredecessorIsASecondMachine) {
  RingPair pair;
  pair.form();
  pair.host(1).kill();
  pair.host(1).stored.lives.clear();
  pair.host(1).resume();
  pair.until([&] { return pair.host(2).protocol().dropped(Drop::duplicate_host) != 0; });
  EXPECT_EQ(pair.log(2), "");
}

// Its first frames are stable, delivered and forgotten when the last one comes.
TEST(Resume, TheBeginningOfAMessageOutlivesItsFrames) {
  RingPair pair;
  pair.form();
  pair.host(2).submit(std::string(20000, 'x'), Service::safe);
  pair.until([&] { return !pair.host(1).stored.beginnings.empty(); });
  EXPECT_GT(pair.host(1).stored.forgotten, Seq{0});
  pair.host(1).kill_before_delivery();
  pair.until([&] { return !pair.host(1).up(); });
  pair.host(1).resume();
  EXPECT_EQ(OneHost::count(pair.log(1), "20000-bytes"), 1u) << pair.log(1);
}

TEST(Stored, OfAMessageThatIsWholeNothingIsKept) {
  RingPair pair;
  pair.form();
  pair.host(2).submit(std::string(20000, 'x'));
  pair.until_delivered(1, "20000-bytes");
  pair.rest();
  pair.host(2).submit("behind");  // a token that has something to tell
  pair.rest();
  const StoredState& stored = pair.host(1).stored;
  EXPECT_TRUE(stored.beginnings.empty());
  EXPECT_LE(stored.frames.size(), 1u);
  EXPECT_LE(stored.told.size(), 1u);
  EXPECT_TRUE(pair.host(2).stored.transmitted.empty());
}

TEST(Stored, AHostWithoutSuccessorStoresTheSequenceAlone) {
  OneHost host;
  host.settings.for_successor = false;
  host.start();
  host.submit("m");
  EXPECT_EQ(host.kinds_stored, (std::set<Stored::Kind>{Stored::Kind::sequence}));
}

}  // namespace
}  // namespace evs::ordering
