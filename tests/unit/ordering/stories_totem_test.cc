// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/stories_totem_test.cc - what Totem's single ring does (Amir, Moser, Melliar-Smith, Agarwal, Ciarfella, ACM TOCS 13(4), 1995), a
// story a topic of the paper; docs/testing.md lists them.
#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

// Total ordering, the token: it goes from member to member in the order of their ids, and each hand of it has a higher number.
TEST(TotemToken, GoesFromMemberToMemberAndEachHandIsNewer) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.sent.clear();
  net.submit(2, "m");
  net.run(2 * kMs);
  const auto tokens = net.of(PacketType::token);
  ASSERT_GE(tokens.size(), 4u);
  for (size_t i = 1; i < tokens.size(); ++i) {
    EXPECT_EQ(tokens[i].from, tokens[i - 1].to);
    EXPECT_EQ(tokens[i].to, tokens[i].from % 3 + 1);
    EXPECT_GT(tokens[i].token().visit, tokens[i - 1].token().visit);
  }
}

// Total ordering, retransmission: who lacks a frame asks through the token, and the next who has it says it again; it need not be the sender.
TEST(TotemRetransmission, WhoHasItSaysAgainWhatTheTokenAsksFor) {
  StoryNet net({1, 2, 3, 4}, [](Settings& s) { s.accelerated_frames = 0; });
  ASSERT_TRUE(net.until_one_ring(4));
  net.forget_logs();
  bool lost = false;
  net.loses = [&](const Sent& packet, HostId to) {
    const bool now = packet.type == PacketType::data && packet.from == 1 && to == 2 && !lost;
    lost |= now;
    return now;
  };
  net.submit(1, "m");
  for (const HostId id : {1, 2, 3, 4}) ASSERT_TRUE(net.until_delivered(id, "m"));
  const auto data = net.of(PacketType::data);
  ASSERT_EQ(data.size(), 2u) << "said once more, and once only";
  EXPECT_EQ(data[1].from, 3u) << "host 2 asked, and 3 comes behind it";
  EXPECT_EQ(data[1].data().seq, data[0].data().seq);
  bool asked = false;
  for (const Sent& packet : net.of(PacketType::token)) asked |= packet.from == 2 && packet.token().wanted == std::vector<SeqRange>{{data[0].data().seq, 1}};
  EXPECT_TRUE(asked);
}

// The token's retransmission: who passed it on says it again until it comes around; the ring does not break.
TEST(TotemToken, ThatIsLostIsSaidAgain) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  bool lost = false;
  net.loses = [&](const Sent& packet, HostId) { return packet.type == PacketType::token && !std::exchange(lost, true); };
  net.submit(1, "m");
  net.run(30 * kMs);
  for (const HostId id : {1, 2, 3}) EXPECT_EQ(net.log(id), lines({"m"})) << "and no configuration";
}

// Total ordering, safe delivery: only when the token has shown twice that all have it.
TEST(TotemSafe, WaitsForTheLastMemberWhileAgreedDoesNot) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  bool deaf = true;
  net.loses = [&](const Sent& packet, HostId to) { return deaf && packet.type == PacketType::data && to == 3; };
  net.submit(1, "agreed");
  net.submit(1, "safe", Service::safe);
  net.submit(1, "behind");
  net.run(20 * kMs);
  EXPECT_EQ(net.log(2), lines({"agreed"})) << "host 3 has not got it, and what is AGREED behind it waits, too";
  EXPECT_EQ(net.log(1), lines({"agreed"}));
  deaf = false;
  ASSERT_TRUE(net.until_delivered(1, "safe"));
  ASSERT_TRUE(net.until_delivered(3, "behind"));
  ASSERT_TRUE(net.until_delivered(2, "behind"));
  EXPECT_EQ(net.log(3), lines({"agreed", "safe", "behind"}));
}

// Flow control: what all send in one rotation stays within the window, what one sends in a visit within its own.
TEST(TotemFlowControl, ARotationStaysWithinTheWindowAndAVisitWithinItsShare) {
  StoryNet net({1, 2, 3, 4}, [](Settings& s) { s.window_frames = 24; s.personal_frames = 10; });
  ASSERT_TRUE(net.until_one_ring(4));
  net.sent.clear();
  const std::string large(1200, 'x');
  for (int i = 0; i < 100; ++i)
    for (const HostId id : {1, 2, 3, 4}) net.submit(id, large);
  net.run(100 * kMs);
  std::vector<uint32_t> visits;  // frames of each, the token between them
  uint32_t before = 0;
  for (const Sent& packet : net.of(PacketType::token)) {
    const auto high = static_cast<uint32_t>(packet.token().high.value);
    if (before != 0) visits.push_back(high - before);
    before = high;
  }
  ASSERT_GT(visits.size(), 20u);
  uint32_t most = 0;
  for (size_t i = 0; i < visits.size(); ++i) {
    EXPECT_LE(visits[i], 10u);
    uint32_t rotation = 0;
    for (size_t j = i; j < visits.size() && j < i + 4; ++j) rotation += visits[j];
    EXPECT_LE(rotation, 24u);
    most = std::max(most, rotation);
  }
  EXPECT_GE(most, 20u) << "and it is used, but for what is lost in dividing it";
}

// Membership, gather: joins until all say the same; each of them was in a ring of its own before.
TEST(TotemMembership, ThoseWhoHearEachOtherFormOneRing) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  for (const HostId id : {1, 2, 3}) {
    const std::string alone = std::to_string(id);
    EXPECT_EQ(net.log(id), (StoryNet::Log{"ring " + alone, "trans " + alone, "ring 1 2 3"}));
  }
}

// Membership, consensus: who says nothing until the time is up is given up.
TEST(TotemMembership, WhoIsSilentIsGivenUp) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  const Instant crashed = net.now();
  net.crash(2);
  ASSERT_TRUE(net.until_one_ring(2));
  EXPECT_EQ(net.log(1), lines({"trans 1 3", "ring 1 3"}));
  EXPECT_LE(net.now() - crashed, (50 + 60 + 20) * kMs) << "the token's loss, one consensus timeout, and the forming";
}

// Membership, commit: the commit token goes round twice, from the lowest id on.
TEST(TotemMembership, TheCommitTokenGoesRoundTwice) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  std::vector<HostId> from;
  std::vector<uint32_t> index, filled;
  for (const Sent& packet : net.of(PacketType::commit)) {
    const Commit commit = packet.commit();
    if (commit.members.size() != 3) continue;
    from.push_back(packet.from);
    index.push_back(commit.index);
    filled.push_back(0);
    for (const CommitEntry& entry : commit.entries) filled.back() += entry.filled;
  }
  EXPECT_EQ(from, (std::vector<HostId>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(index, (std::vector<uint32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(filled, (std::vector<uint32_t>{1, 2, 3, 3, 3, 3})) << "first all write, then all read";
}

// Recovery: on the new ring those who come from the same old one show each other what some of them lack of it.
TEST(TotemRecovery, ASurvivorHandsOnWhatOnlyItHeard) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.loses = [&](const Sent& packet, HostId to) { return packet.type == PacketType::data && packet.from == 1 && to == 3; };
  net.submit(1, "m");
  ASSERT_TRUE(net.until_delivered(2, "m"));
  net.crash(1);
  ASSERT_TRUE(net.until_one_ring(2));
  EXPECT_EQ(net.log(2), lines({"m", "trans 2 3", "ring 2 3"}));
  EXPECT_EQ(net.log(3), lines({"m", "trans 2 3", "ring 2 3"})) << "in the old ring: host 2 delivered it there";
}

// Membership, token loss: the holder crashes with the token in its hand.
TEST(TotemMembership, ATokenThatDiesWithItsHolderIsMissed) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId to) { return packet.type == PacketType::token && to == 2; };
  net.submit(3, "m");
  net.run(5 * kMs);
  net.crash(2);
  net.loses = [](const Sent&, HostId) { return false; };
  ASSERT_TRUE(net.until_one_ring(2));
  for (const HostId id : {1, 3}) EXPECT_EQ(net.log(id).front(), "trans 1 3");
  EXPECT_GE(net.at(1).entered_gather(Why::token_lost) + net.at(3).entered_gather(Why::token_lost), 1u);
}

// Who sent last needs nobody to send again: the token rests there, and what is said is stamped and delivered at once.
TEST(TotemHold, TheIdleTokenRestsWithWhoSentLast) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  const auto cancelled = [&] {
    uint64_t sum = 0;
    for (const HostId id : {1, 2, 3}) sum += net.at(id).rare(Rare::hold_cancelled);
    return sum;
  };
  for (const HostId sender : {2, 3, 1}) {
    net.submit(sender, "a" + std::to_string(sender));
    net.run(50 * kMs);
    // A moment after it came to rest.
    const HostId before = sender == 1 ? 3 : sender - 1;
    ASSERT_TRUE(net.until([&] {
      const auto tokens = net.of(PacketType::token);
      return tokens.back().from == before && net.now() - tokens.back().at > StoryNet::kHop;
    })) << "host " << sender;
    const uint64_t asked = cancelled();
    const Instant said = net.now();
    net.submit(sender, "b" + std::to_string(sender));
    ASSERT_TRUE(net.until_delivered(sender, "b" + std::to_string(sender)));
    EXPECT_EQ(net.now(), said) << "host " << sender;
    EXPECT_EQ(cancelled(), asked) << "nobody was asked for it";
  }
}

// Before anything was sent it rests at the representative. It does not rest when somebody has something to say.
TEST(TotemHold, AnIdleTokenRestsUntilSomebodySpeaks) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.run(50 * kMs);
  net.forget_logs();
  net.run(100 * kMs);
  const size_t resting = net.of(PacketType::token).size();
  EXPECT_LE(resting, 3 * 100u / 5 + 3) << "one rotation a hold, not one a hop";
  EXPECT_GE(resting, 3 * 100u / 6 - 3) << "it is let go each time";
  // The moment after it came to rest.
  ASSERT_TRUE(net.until([&, before = net.at(1).rare(Rare::hold_cancelled)] {
    const auto tokens = net.of(PacketType::token);
    return tokens.back().from == 3 && net.now() - tokens.back().at > StoryNet::kHop && net.at(1).rare(Rare::hold_cancelled) == before;
  }));
  const Instant said = net.now();
  net.submit(2, "m");
  ASSERT_TRUE(net.until_delivered(3, "m"));
  EXPECT_LT(net.now() - said, 1 * kMs) << "not the rest of the hold";
  EXPECT_EQ(net.at(1).rare(Rare::hold_cancelled), 1u);
}

// Membership, merge: rings that have nothing to say find each other by the probes of their representatives.
TEST(TotemMembership, TwoSilentRingsFindEachOther) {
  StoryNet net({1, 2, 3, 4});
  net.split({1, 2});
  ASSERT_TRUE(net.until_one_ring(2));
  net.forget_logs();
  net.mend();
  ASSERT_TRUE(net.until_one_ring(4));
  EXPECT_EQ(net.log(1), lines({"trans 1 2", "ring 1 2 3 4"}));
  EXPECT_EQ(net.log(4), lines({"trans 3 4", "ring 1 2 3 4"}));
}

}  // namespace
}  // namespace evs::ordering
