// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/stories_slow_test.cc - readers that are slow, and hosts that are there and do not do their part (docs/protocol.md, "Slow readers").
#include <algorithm>

#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

constexpr uint64_t kPlenty = 1u << 24;
constexpr Duration kStalled = 100 * kMs;
// A message of two letters: its overhead, and its frame, which has it alone.
const uint64_t kOne = Settings().delivery_overhead + 16;

void with_short_patience(Settings& settings) { settings.stalled_host = kStalled; }

std::string text(int i) { return "m" + std::to_string(i); }

size_t messages_in(const StoryNet::Log& log) {
  return static_cast<size_t>(std::count_if(log.begin(), log.end(), [](const std::string& line) { return line[0] == 'm'; }));
}

struct Three {
  explicit Three(std::function<void(Settings&)> change = with_short_patience) : net({1, 2, 3}, std::move(change)) {
    EXPECT_TRUE(net.until_one_ring(3));
    net.run(20 * kMs);
    net.forget_logs();
  }
  StoryNet net;
};

TEST(SlowReaders, WhatFindsNoRoomWaitsInItsOrder) {
  Three world;
  StoryNet& net = world.net;
  net.at(2).set_room(2 * kOne);
  for (int i = 0; i < 5; ++i) net.submit(1, text(i), static_cast<Service>(i % 4));  // no two in one frame
  net.run(10 * kMs);
  EXPECT_EQ(messages_in(net.log(1)), 5u);
  EXPECT_EQ(net.log(2).size(), 2u);
  EXPECT_TRUE(net.at(2).is_held());
  net.room(2, 2 * kOne);
  EXPECT_EQ(net.log(2).size(), 2u);
  net.room(2, 2 * kOne);
  EXPECT_EQ(net.log(2).size(), 1u);
  EXPECT_FALSE(net.at(2).is_held());
  EXPECT_EQ(net.at(1).members().size(), 3u);
}

// A host that cannot deliver slows the others down until they are told to try again; nobody is given up, and nothing is lost.
TEST(SlowReaders, TheOthersWaitAndLoseNothing) {
  Three world([](Settings& s) { s.stalled_host = 10'000 * kMs, s.queue_bytes = 1 << 14; });
  StoryNet& net = world.net;
  net.at(2).set_room(0);
  int taken = 0;
  for (int i = 0; i < 5000; ++i) {
    uint64_t number = 0;
    const std::string message = text(taken) + std::string(1000, 'x');
    if (net.try_submit(1 + 2 * (i % 2), message, number) == Submitted::ok) ++taken;
    net.run(kMs / 5);
  }
  EXPECT_LT(taken, 5000) << "TRY_AGAIN must have reached who sends";
  EXPECT_EQ(net.at(1).held_by(), 2u) << "operators are told who it is";
  EXPECT_EQ(messages_in(net.log(2)), 0u);
  net.room(2, kPlenty);
  ASSERT_TRUE(net.until([&] { return net.messages(2) == static_cast<size_t>(taken) && net.messages(1) == static_cast<size_t>(taken); }));
  net.run(20 * kMs);
  EXPECT_EQ(net.at(1).held_by(), kNoHost);
  EXPECT_EQ(net.at(1).entered_gather(Why::cannot_receive), 0u) << "slow is not deaf";
  EXPECT_EQ(net.at(1).members().size(), 3u);
}

// Who reads a little now and then has not stopped: it stays.
TEST(SlowReaders, WhoIsSlowAndNotStoppedStays) {
  Three world;
  StoryNet& net = world.net;
  net.at(2).set_room(0);
  for (int i = 0; i < 20; ++i) net.submit(1, text(i) + std::string(1200, 'x'));  // a frame each
  for (int i = 0; i < 20; ++i) {
    net.run(kStalled / 2);
    net.room(2, 1300 + kOne);
  }
  EXPECT_EQ(messages_in(net.log(2)), 20u);
  EXPECT_EQ(net.at(2).rare(Rare::stalled_left), 0u);
}

// And who has stopped leaves by itself: the others go on; it owes its own log the rest, as if they had gone, and comes back when there is room.
TEST(SlowReaders, WhoHasStoppedLeavesAndComesBack) {
  Three world;
  StoryNet& net = world.net;
  net.at(2).set_room(0);
  net.submit(1, "m0", Service::safe);
  ASSERT_TRUE(net.until([&] { return net.at(1).is_operational() && net.at(1).members().size() == 2; }));
  EXPECT_EQ(net.at(2).rare(Rare::stalled_left), 1u);
  EXPECT_STREQ(net.at(2).phase_name(), "apart");
  net.submit(3, "m1");
  net.run(500 * kMs);
  EXPECT_EQ(net.log(1), lines({"m0", "trans 1 3", "ring 1 3", "m1"}));
  EXPECT_EQ(net.log(2), lines({"trans 2"})) << "there is no room yet; it cannot know that the others delivered m0 in the old configuration";
  net.room(2, kPlenty);
  EXPECT_EQ(net.log(2), lines({"m0", "ring 2"}));
  ASSERT_TRUE(net.until([&] { return net.at(2).is_operational() && net.at(2).members().size() == 3; }));
  net.submit(2, "m2", Service::safe);
  ASSERT_TRUE(net.until_delivered(1, "m2"));
}

TEST(SlowReaders, WhoIsAloneStopsNobodyAndStays) {
  StoryNet net({1}, with_short_patience);
  net.run(10 * kMs);
  net.forget_logs();
  net.at(1).set_room(0);
  net.submit(1, "m0");
  net.run(10 * kStalled);
  EXPECT_EQ(net.at(1).rare(Rare::stalled_left), 0u);
  net.room(1, kPlenty);
  EXPECT_EQ(net.log(1), lines({"m0"}));
}

// Host 3 dies while host 2 has no room for what it said: hosts 1 and 2 have a ring, of which host 2's log does not know yet.
struct EndWaits : Three {
  EndWaits() : Three([](Settings& s) { s.stalled_host = 10'000 * kMs; }) {
    net.at(2).set_room(0);
    net.submit(3, "m0");
    EXPECT_TRUE(net.until_delivered(1, "m0"));
    net.crash(3);
    EXPECT_TRUE(net.until_one_ring(2));
  }
};

// A host dies while another one cannot deliver. The next ring works; of it the slow host delivers nothing, and promises nothing, before the end of the
// one before: what is SAFE there waits for it.
TEST(SlowReaders, AConfigurationEndsWhileThereIsNoRoom) {
  EndWaits world;
  StoryNet& net = world.net;
  net.submit(1, "m1", Service::safe);
  net.run(200 * kMs);
  EXPECT_TRUE(net.at(2).is_operational());
  EXPECT_EQ(net.log(2), lines({}));
  EXPECT_EQ(net.log(1), lines({"m0", "trans 1 2", "ring 1 2"})) << "m1 is not safe: host 2 may leave the ring without having said a word";
  net.room(2, kPlenty);
  net.run(20 * kMs);
  EXPECT_EQ(net.log(2), lines({"m0", "trans 1 2", "ring 1 2", "m1"}));
  EXPECT_EQ(net.log(1), lines({"m1"}));
}

// And that ring breaks, too: there is no place for a second end that waits. It leaves.
TEST(SlowReaders, TheNextRingBreaksAsWell) {
  EndWaits world;
  StoryNet& net = world.net;
  net.submit(1, "m1");
  ASSERT_TRUE(net.until_delivered(1, "m1"));
  net.crash(1);
  net.run(500 * kMs);
  EXPECT_EQ(net.at(2).rare(Rare::ring_broke_while_held), 1u);
  EXPECT_EQ(net.log(2), lines({}));
  net.room(2, kPlenty);
  EXPECT_EQ(net.log(2), lines({"m0", "trans 1 2", "ring 1 2", "m1", "trans 2", "ring 2"}));
}

// The next ring breaks by the word of a successor of another host's gateway, and there is just room for the first of the two ends.
TEST(SlowReaders, TheNextRingBreaksByASuccessorsWord) {
  EndWaits world;
  StoryNet& net = world.net;
  net.submit(1, "m1");
  net.submit(1, "m2", Service::safe);
  ASSERT_TRUE(net.until_delivered(1, "m1"));
  net.run(5 * kMs);  // host 2 has both, too
  const Host before = net.at(2).members().front(), successor{1, before.nonce + 1};
  net.crash(1);
  Join join;
  join.ring_sequence = net.at(2).ring().sequence + 1;
  join.candidates = {successor};
  join.superseded = {before.nonce};
  std::vector<std::byte> packet;
  ASSERT_TRUE(wire::encode(successor, join, packet));
  net.at(2).set_room(kOne);
  net.say(1, 2, packet);
  EXPECT_STREQ(net.at(2).phase_name(), "apart");
  EXPECT_EQ(net.log(2), lines({"m0", "trans 1 2", "ring 1 2"}));
  net.room(2, kPlenty);
  const StoryNet::Log rest = net.log(2);
  EXPECT_EQ(rest, lines({"m1", "trans 2", "m2", "ring 2"}));
}

// The end of a configuration that is larger than the room comes in parts.
TEST(SlowReaders, AnEndComesInParts) {
  Three world([](Settings& s) { s.stalled_host = 10'000 * kMs; });
  StoryNet& net = world.net;
  net.at(2).set_room(0);
  for (int i = 0; i < 6; ++i) net.submit(3, text(i), static_cast<Service>(i % 4));
  ASSERT_TRUE(net.until([&] { return net.messages(1) == 6; }));
  net.crash(3);
  ASSERT_TRUE(net.until([&] { return net.at(2).is_operational() && net.at(2).members().size() == 2; }));
  StoryNet::Log whole;
  for (int i = 0; i < 6; ++i) {
    net.room(2, kOne);
    const StoryNet::Log part = net.log(2);
    EXPECT_EQ(messages_in(part), 1u);
    whole.insert(whole.end(), part.begin(), part.end());
  }
  EXPECT_EQ(messages_in(whole), 6u);
  EXPECT_EQ(whole.back(), "ring 1 2");
}

// It says that its readers are slow, and never leaves: the others do not wait for ever.
TEST(OthersPart, WhoHoldsTheRingUpForTooLongIsGivenUp) {
  int host = 0;
  Three world([&host](Settings& s) { s.stalled_host = ++host == 2 ? 1'000'000 * kMs : kStalled; });
  StoryNet& net = world.net;
  net.at(2).set_room(0);
  net.submit(1, "m0");
  ASSERT_TRUE(net.until([&] { return net.at(1).is_operational() && net.at(1).members().size() == 2; }));
  EXPECT_EQ(net.at(1).rare(Rare::given_up_as_holder) + net.at(3).rare(Rare::given_up_as_holder), 1u);
  EXPECT_EQ(net.at(2).rare(Rare::stalled_left), 0u);
}

// A ring begins with what each host says of its processes. Hosts 1 and 3 say theirs, and host 2 does what the story asks for.
struct Exchange {
  enum class Second { says_nothing, never_has_all };
  explicit Exchange(Second second) : net({1, 2, 3}, [](Settings& s) { s.exchange = true, s.recovery_visits = 200; }) {
    std::map<HostId, RingId> opened;
    std::map<HostId, std::set<std::string>> heard;
    EXPECT_TRUE(net.until([&] {
      for (const HostId id : {1u, 2u, 3u}) {
        Protocol& host = net.at(id);
        if (!host.is_operational()) continue;
        if (host.ring() != opened[id]) {
          opened[id] = host.ring();
          heard[id].clear();
          net.forget_log(id);
          if (id != 2 || second == Second::never_has_all) net.open(id, "o" + std::to_string(id));
        }
        for (const Host& member : host.members()) {
          const std::string opening = "o" + std::to_string(member.id);
          if (!net.has(id, opening) || !heard[id].insert(opening).second) continue;
          host.heard_opening(member.id);
          if (heard[id].size() == host.members().size() && id != 2) net.exchanged(id);
        }
      }
      return std::any_of(seen_three.begin(), seen_three.end(), [](bool seen) { return seen; }) ? parted() : (see_three(), false);
    }));
  }
  void see_three() {
    for (const HostId id : {1u, 3u}) seen_three[id] = seen_three[id] || (net.at(id).is_operational() && net.at(id).members().size() == 3);
  }
  bool parted() {
    for (const HostId id : {1u, 3u})
      if (!net.at(id).is_operational() || net.at(id).members() != Hosts{{1, 1001}, {3, 1003}}) return false;
    return true;
  }
  uint64_t saw(Rare what) { return net.at(1).rare(what) + net.at(3).rare(what); }

  std::array<bool, 4> seen_three{};
  StoryNet net;
};

TEST(OthersPart, WhoseOpeningDoesNotComeIsGivenUp) {
  Exchange world(Exchange::Second::says_nothing);
  EXPECT_NE(world.saw(Rare::exchange_given_up), 0u);
}

TEST(OthersPart, WhoNeverDeliversWhatAllHaveIsGivenUp) {
  Exchange world(Exchange::Second::never_has_all);
  EXPECT_NE(world.saw(Rare::barrier_given_up), 0u);
}

}  // namespace
}  // namespace evs::ordering
