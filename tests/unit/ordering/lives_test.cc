// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/lives_test.cc - a host's former life, whose packets may come late, is not a second machine with its id; and a second machine is.
#include "tests/unit/ordering/resume_world.h"
#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

using Packet = std::vector<std::byte>;

template <class Said>
Packet packet(const Host& sender, const Said& said) {
  Packet bytes;
  EXPECT_TRUE(wire::encode(sender, said, bytes));
  return bytes;
}

Packet join(const Host& sender, uint64_t ring_sequence) {
  Join said;
  said.ring_sequence = ring_sequence;
  said.candidates = Hosts{sender};
  return packet(sender, said);
}

Packet frame(const Host& sender, const RingId& ring) {
  Data data;
  data.ring = ring;
  data.seq = Seq{3};
  return packet(sender, data);
}

// Host 1's gateway is killed, another one has taken over, and they are one ring again; nobody is in quarantine any more.
struct AfterTakeOver : RingPair {
  const Host former{1, kFirstNonce};
  RingId before;

  AfterTakeOver() {
    form();
    before = host(2).protocol().ring();
    host(1).kill();
    host(1).resume();
    until([&] { return one_ring() && log(2) == "T(2.0) [1.1 2.0]"; });
    for (int i = 0; i < 5; ++i) rest();
  }
  void hear(HostId id, const Packet& bytes) {
    host(id).protocol().on_packet(now, bytes, host(id).out());
    host(id).carry_out();
  }
  uint64_t superseded(HostId id) { return host(id).protocol().dropped(Drop::superseded); }
  uint64_t duplicates(HostId id) { return host(id).protocol().dropped(Drop::duplicate_host); }
};

TEST(Lives, LatePacketsOfAKilledGatewayAreDroppedAndCounted) {
  AfterTakeOver pair;
  for (const HostId id : {1u, 2u}) {
    const uint64_t counted = pair.superseded(id);
    const RingId ring = pair.host(id).protocol().ring();
    pair.hear(id, packet(pair.former, Probe{pair.before}));
    pair.hear(id, join(pair.former, pair.before.sequence));
    pair.hear(id, frame(pair.former, pair.before));
    EXPECT_EQ(pair.superseded(id), counted + 3) << "at host " << id;
    EXPECT_EQ(pair.duplicates(id), 0u) << "at host " << id;
    EXPECT_TRUE(pair.host(id).protocol().is_operational());
    EXPECT_EQ(pair.host(id).protocol().ring(), ring);
  }
}

// The lock that elects the gateway failed: the one that was taken for dead goes on, and forms a ring.
TEST(Lives, AKilledGatewayThatGoesOnIsASecondMachine) {
  AfterTakeOver pair;
  const RingId its_own{pair.host(2).protocol().ring().sequence + 4, 1, kFirstNonce};
  for (const HostId id : {1u, 2u}) {
    pair.hear(id, packet(pair.former, Probe{its_own}));
    EXPECT_EQ(pair.duplicates(id), 1u) << "at host " << id;
  }
}

TEST(Lives, WhoIsNamedSupersededByAPeerOfAnotherRingIsKnownAsThat) {
  StoryNet net({2});
  net.run(10 * kMs);
  Join said;
  said.ring_sequence = 40;
  said.candidates = {Host{1, 55}, Host{2, 1002}};
  said.superseded = {54};
  net.say(1, 2, packet(Host{1, 55}, said));  // host 2 never met the former life
  net.say(1, 2, packet(Host{1, 54}, Probe{RingId{38, 1, 54}}));
  EXPECT_EQ(net.at(2).dropped(Drop::superseded), 1u);
  EXPECT_EQ(net.at(2).dropped(Drop::duplicate_host), 0u);
}

// A whole host crashes and comes back: nobody says which nonce it had.
struct AfterRestart {
  StoryNet net{{1, 2}};
  const Host former{1, 1001};
  RingId before;
  uint64_t duplicates = 0;

  AfterRestart() {
    EXPECT_TRUE(net.until_one_ring(2));
    before = net.at(2).ring();
    net.crash(1);
    EXPECT_TRUE(net.until_one_ring(1)) << "host 2 has noticed";
    net.start(1);
    EXPECT_TRUE(net.until_one_ring(2));
    duplicates = net.at(2).dropped(Drop::duplicate_host);
  }
};

TEST(Lives, AHostKnowsThePacketsOfItsOwnFormerLife) {
  AfterRestart story;
  story.net.say(2, 1, packet(story.former, Probe{story.before}));
  EXPECT_EQ(story.net.at(1).dropped(Drop::superseded), 1u);
  EXPECT_EQ(story.net.at(1).dropped(Drop::duplicate_host), 0u);
}

// It has seen fewer rings than this host, so its sequences tell nothing; but it does not stop.
TEST(Lives, ASecondMachineThatGoesOnSpeakingIsNoFormerLife) {
  AfterRestart story;
  story.net.run(1000 * kMs);
  story.net.say(2, 1, packet(Host{1, 99}, Probe{RingId{1, 1, 99}}));
  EXPECT_EQ(story.net.at(1).dropped(Drop::duplicate_host), 1u);
}

// The id came back while its former life was a member still, and was given up for it.
struct AfterQuickRestart {
  StoryNet net{{1, 2}};
  const Host former{1, 1001};
  RingId before;
  uint64_t duplicates = 0;

  AfterQuickRestart() {
    EXPECT_TRUE(net.until_one_ring(2));
    before = net.at(2).ring();
    net.crash(1);
    net.start(1);
    EXPECT_TRUE(net.until_one_ring(2));
    EXPECT_EQ(net.at(2).rare(Rare::former_life_over), 1u);
    net.run(10'000 * kMs);  // no quarantine
    duplicates = net.at(2).dropped(Drop::duplicate_host);
  }
};

TEST(Lives, LatePacketsOfALifeThatWasGivenUpAreDroppedAndCounted) {
  AfterQuickRestart story;
  story.net.say(1, 2, packet(story.former, Probe{story.before}));
  story.net.say(1, 2, frame(story.former, story.before));
  story.net.say(1, 2, join(story.former, story.before.sequence));
  EXPECT_EQ(story.net.at(2).dropped(Drop::superseded), 3u);
  EXPECT_EQ(story.net.at(2).dropped(Drop::duplicate_host), story.duplicates);
  EXPECT_TRUE(story.net.at(2).is_operational());
}

TEST(Lives, ALifeThatWasGivenUpAndFormsARingIsASecondMachine) {
  AfterQuickRestart story;
  story.net.say(1, 2, packet(story.former, Probe{RingId{story.before.sequence + 4, 1, 1001}}));
  EXPECT_EQ(story.net.at(2).dropped(Drop::duplicate_host), story.duplicates + 1);
}

// Who names ever more lives makes nobody keep them all; those that it names last are known.
TEST(Lives, WhatIsKeptOfThemIsBounded) {
  StoryNet net({2});
  net.run(10 * kMs);
  for (uint64_t nonce = 1000; nonce < 5000; nonce += kMaxSuperseded) {
    Join said;
    said.ring_sequence = 40;
    said.candidates = {Host{1, 55}, Host{2, 1002}};
    for (uint64_t i = 0; i < kMaxSuperseded; ++i) said.superseded.push_back(nonce + i);
    net.say(1, 2, packet(Host{1, 55}, said));
  }
  const auto late = [&](uint64_t nonce) {
    const uint64_t before = net.at(2).dropped(Drop::superseded);
    net.say(1, 2, packet(Host{1, nonce}, Probe{RingId{38, 1, nonce}}));
    return net.at(2).dropped(Drop::superseded) - before;
  };
  EXPECT_EQ(late(4999), 1u);
  EXPECT_EQ(late(1000), 0u);
}

TEST(Lives, AnEchoIsNobodyElse) {
  StoryNet net({2});
  net.say(2, 2, packet(Host{2, 1002}, Probe{net.at(2).ring()}));
  EXPECT_EQ(net.at(2).dropped(Drop::own_echo), 1u);
}

}  // namespace
}  // namespace evs::ordering
