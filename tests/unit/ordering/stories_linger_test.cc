// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/stories_linger_test.cc - the token stays with who speaks alone, and nobody else pays for it (docs/protocol.md, "The idle token").
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

constexpr Duration kLinger = 2 * kMs, kHop = StoryNet::kHop;

// Three hosts; host 2 spoke last, and the token rests with it.
struct Lingering : StoryNet {
  explicit Lingering(Duration linger = kLinger) : StoryNet({1, 2, 3}, [linger](Settings& s) { s.token_linger = linger; }) {
    EXPECT_TRUE(until_one_ring(3));
    submit(2, "first");
    run(50 * kMs);
    EXPECT_TRUE(until([&] {
      const auto tokens = of(PacketType::token);
      return tokens.back().from == 1 && now() - tokens.back().at > kHop;
    }));
    forget_logs();
  }
  // Host 2 says so many, one every `gap`, and each is delivered to `listener` before the next one.
  Duration longest(int messages, Duration gap, HostId listener) {
    Duration worst = 0;
    for (int i = 0; i < messages; ++i) {
      const Instant said = now();
      const std::string text = "m" + std::to_string(count_++);
      submit(2, text);
      EXPECT_TRUE(until_delivered(listener, text));
      worst = std::max(worst, now() - said);
      run(gap);
    }
    return worst;
  }
  size_t tokens() const { return of(PacketType::token).size(); }

 private:
  int count_ = 0;
};

TEST(TotemLinger, WhoSpeaksAloneWaitsForNobody) {
  Lingering net;
  EXPECT_EQ(net.longest(6, 2 * kHop, 3), kHop);
  EXPECT_EQ(net.tokens(), 0u);
  Lingering without(0);
  EXPECT_GT(without.longest(6, 0, 3), kHop) << "the story tells nothing";
}

// A rotation comes all the same: what it would show is not put off for longer.
TEST(TotemLinger, ARotationComesWhenItsTimeIsOver) {
  Lingering net;
  const Instant began = net.now();
  const Duration worst = net.longest(100, 2 * kHop, 3);
  EXPECT_LE(worst, 4 * kHop) << "what comes while the token goes round waits for it";
  const uint64_t rotations = net.tokens() / 3, time = net.now() - began;
  EXPECT_GE(rotations, time / (kLinger + 6 * kHop));
  EXPECT_LE(rotations, time / kLinger + 1);
}

TEST(TotemLinger, WhatIsSaidAtOneMomentIsOnePacket) {
  Lingering net;
  for (const char* text : {"a", "b", "c"}) net.submit(2, text);
  ASSERT_TRUE(net.until_delivered(3, "c"));
  EXPECT_EQ(net.of(PacketType::data).size(), 1u);
  EXPECT_EQ(net.log(3), lines({"a", "b", "c"}));
}

TEST(TotemLinger, WhatWasLostIsFoundByTheNextRotations) {
  Lingering net;
  bool lost = false;
  net.loses = [&](const Sent& packet, HostId to) { return packet.type == PacketType::data && to == 3 && !std::exchange(lost, true); };
  const Instant said = net.now();
  net.submit(2, "lost");
  net.submit(2, "too");
  net.run(2 * kHop);
  net.submit(2, "behind");
  ASSERT_TRUE(net.until_delivered(3, "behind"));
  EXPECT_LE(net.now() - said, kLinger + 9 * kHop) << "two rotations, and it does not stay in between";
  EXPECT_EQ(net.log(3), lines({"lost", "too", "behind"}));
}

TEST(TotemLinger, SafeIsNotKeptWaiting) {
  for (const HostId listener : {1, 2, 3}) {
    Duration took[2] = {0, 0};
    for (const Duration linger : {Duration{0}, kLinger}) {
      Lingering net(linger);
      if (linger != 0) {
        EXPECT_EQ(net.longest(3, kHop, 3), kHop);  // it has begun to stay
      }
      const Instant said = net.now();
      net.submit(2, "safe", Service::safe);
      ASSERT_TRUE(net.until_delivered(listener, "safe"));
      took[linger != 0] = net.now() - said;
    }
    EXPECT_LE(took[1], took[0]) << "host " << listener;
    EXPECT_LT(took[1], kLinger) << "host " << listener;
  }
}

// Also behind AGREED that is said at the same moment, and in one packet with it.
TEST(TotemLinger, SafeBehindAgreedIsNotKeptWaiting) {
  Lingering net;
  const Instant said = net.now();
  net.submit(2, "agreed");
  net.submit(2, "safe", Service::safe);
  ASSERT_TRUE(net.until([&] { return net.has(1, "safe") && net.has(2, "safe") && net.has(3, "safe"); }));
  EXPECT_LE(net.now() - said, 6 * kHop);
}

TEST(TotemLinger, WhoAsksGetsItAtOnce) {
  for (const HostId other : {1, 3}) {
    Lingering net;
    EXPECT_EQ(net.longest(4, kHop, 3), kHop);
    const Instant said = net.now();
    net.submit(other, "mine");
    ASSERT_TRUE(net.until_delivered(2, "mine"));
    EXPECT_LE(net.now() - said, 4 * kHop) << "the question, the token, the message";
  }
}

// The question came before the token did: it does not stay then.
TEST(TotemLinger, WhoAskedBeforeItCameIsNotForgotten) {
  for (int steps = 0; steps < 40; ++steps) {
    Lingering net;
    for (int i = 0; i < 4; ++i) net.longest(1, kHop, 3);
    net.run(static_cast<Duration>(steps) * kHop / 2);
    const Instant said = net.now();
    net.submit(3, "mine");
    ASSERT_TRUE(net.until_delivered(2, "mine"));
    EXPECT_LE(net.now() - said, 7 * kHop) << steps;
  }
}

// Two who speak now and then, each at another time, beside one who always does: neither waits until the token is let go.
TEST(TotemLinger, WhoSpeaksNowAndThenDoesNotWaitUntilItIsLetGo) {
  Lingering net;
  std::map<std::string, Instant> said;
  Duration worst = 0;
  for (int quarter = 0; quarter < 8000; ++quarter) {  // of a hop
    if (quarter % 8 == 0) net.submit(2, "always");
    const HostId now_and_then = quarter % 37 == 0 ? 1 : quarter % 53 == 0 ? 3 : kNoHost;
    const std::string text = "m" + std::to_string(quarter);
    if (now_and_then != kNoHost) net.submit(now_and_then, text);
    if (now_and_then != kNoHost) said[text] = net.now();
    net.run(kHop / 4);
    for (const std::string& delivered : net.log(2))
      if (const auto one = said.find(delivered); one != said.end()) worst = std::max(worst, net.now() - one->second);
  }
  EXPECT_LE(worst, 5 * kHop) << "the question, or the token's way, and the message";
}

// Also when it never paused: there was something to say each time that the token came back.
TEST(TotemLinger, ItStaysAgainWithWhoSpokeOnWhileAnotherOneSaidSomething) {
  for (const HostId other : {1, 3}) {
    Lingering net;
    net.longest(4, 0, 3);
    net.submit(other, "once");
    net.longest(4, 0, 3);  // with rotations, until it is seen that nobody else speaks
    int alone = 0;
    for (int i = 0; i < 40; ++i) alone += net.longest(1, 0, 3) == kHop;
    EXPECT_GE(alone, 36) << "host " << other;
  }
}

TEST(TotemLinger, OfTwoWhoSpeakItStaysWithNeither) {
  Lingering net;
  for (int i = 0; i < 20; ++i) {
    net.submit(1, "a" + std::to_string(i));
    net.submit(2, "b" + std::to_string(i));
    net.run(3 * kHop);
  }
  EXPECT_GE(net.tokens(), 20 * 3u - 6);
}

TEST(TotemLinger, AChangeHasItsRotations) {
  Duration took[2] = {0, 0};
  for (const Duration linger : {Duration{0}, kLinger}) {
    Lingering net(linger);
    if (linger != 0) {
      EXPECT_EQ(net.longest(3, kHop, 3), kHop);
    }
    const Instant said = net.now();
    uint64_t number = 0;
    net.change(2, "change", number);
    net.submit(3, "behind it");
    ASSERT_TRUE(net.until_delivered(1, "behind it"));
    took[linger != 0] = net.now() - said;
  }
  EXPECT_LE(took[1], took[0]);
}

// Who has more to say than a few frames goes on as it always did.
TEST(TotemLinger, ABurstGoesRound) {
  Lingering net;
  for (int i = 0; i < 39; ++i) net.submit(2, std::string(1000, 'x'));
  net.submit(2, "last");
  ASSERT_TRUE(net.until_delivered(3, "last"));
  EXPECT_GE(net.tokens(), 3u);
}

}  // namespace
}  // namespace evs::ordering
