// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/stories_evs_test.cc - the axioms of extended virtual synchrony (Moser, Amir, Melliar-Smith, Agarwal, ICDCS 1994), each as a short
// story; docs/testing.md lists them. tools/verify judges the same over random runs.
#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

// Basic delivery: what is delivered was sent, and once.
TEST(EvsBasicDelivery, OnceHoweverOftenTheNetworkSaysIt) {
  StoryNet net({1, 2});
  ASSERT_TRUE(net.until_one_ring(2));
  net.forget_logs();
  net.submit(1, "m");
  ASSERT_TRUE(net.until_delivered(2, "m"));
  net.say(1, 2, net.of(PacketType::data).front().bytes);
  net.run(20 * kMs);
  EXPECT_EQ(net.log(2), lines({"m"}));
  EXPECT_EQ(net.log(1), lines({"m"}));
}

// Configuration changes: members of a configuration install it; a transitional one lies between two regular ones.
TEST(EvsConfigurations, APartitionAndItsEndAreSeenAlikeOnEachSide) {
  StoryNet net({1, 2, 3, 4});
  ASSERT_TRUE(net.until_one_ring(4));
  net.forget_logs();
  net.split({1, 2});
  ASSERT_TRUE(net.until_one_ring(2));
  net.mend();
  ASSERT_TRUE(net.until_one_ring(4));
  for (const HostId id : {1, 2}) EXPECT_EQ(net.log(id), lines({"trans 1 2", "ring 1 2", "trans 1 2", "ring 1 2 3 4"}));
  for (const HostId id : {3, 4}) EXPECT_EQ(net.log(id), lines({"trans 3 4", "ring 3 4", "trans 3 4", "ring 1 2 3 4"}));
}

// Self-delivery: who is cut off delivers what it sent, in its transitional configuration at the latest.
TEST(EvsSelfDelivery, InIsolationOnesOwnSafeMessageComesInTheTransitionalConfiguration) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.run(3 * kMs);
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId) { return packet.type == PacketType::data && packet.from == 2; };
  net.submit(2, "mine", Service::safe);
  ASSERT_TRUE(net.until([&] { return !net.of(PacketType::data).empty(); }));
  net.split({2});
  ASSERT_TRUE(net.until([&] { return net.at(2).is_operational() && net.at(2).members().size() == 1; }));
  EXPECT_EQ(net.log(2), lines({"trans 2", "mine", "ring 2"}));
}

// Failure atomicity: who go on together have delivered the same, in the old configuration and in the transitional one.
TEST(EvsFailureAtomicity, WhatReachedOneOfThemBothDeliverOrNeither) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId to) { return packet.type == PacketType::data && packet.from == 3 && to == 1; };
  net.submit(3, "first");
  net.submit(3, "second", Service::safe);
  ASSERT_TRUE(net.until_delivered(2, "first"));
  net.crash(3);
  ASSERT_TRUE(net.until_one_ring(2));
  const auto one = net.log(1), two = net.log(2);
  EXPECT_EQ(one, two);
  EXPECT_EQ(one, lines({"first", "trans 1 2", "second", "ring 1 2"}));
}

// Causal delivery: an answer is not delivered before what it answers.
TEST(EvsCausalDelivery, AnAnswerWaitsForItsQuestion) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  bool deaf = true;
  net.loses = [&](const Sent& packet, HostId to) {
    return deaf && packet.type == PacketType::data && to == 3 && packet.data().previous == Seq{} && packet.from == 1;
  };
  net.submit(1, "question");
  ASSERT_TRUE(net.until_delivered(2, "question"));
  net.submit(2, "answer");
  ASSERT_TRUE(net.until_delivered(1, "answer"));
  net.run(kMs / 2);
  deaf = false;
  ASSERT_TRUE(net.until_delivered(3, "answer"));
  EXPECT_EQ(net.log(3), lines({"question", "answer"}));
}

// Causal delivery at the end of a configuration: an answer whose question is lost for good is not delivered; nor is what may depend on it.
TEST(EvsCausalDelivery, AnAnswerWhoseQuestionIsLostIsLost) {
  StoryNet net({1, 2, 3, 4});
  ASSERT_TRUE(net.until_one_ring(4));
  net.forget_logs();
  // Hosts 3 and 4 get the answer alone, and then 1 and 2 are gone.
  std::optional<std::pair<RingId, Seq>> question;
  net.loses = [&](const Sent& packet, HostId to) {
    if (packet.type != PacketType::data) return false;
    const std::pair<RingId, Seq> said{packet.data().ring, packet.data().seq};
    if (!question) question = said;
    return said == *question && to > 2;
  };
  net.submit(1, "question");
  ASSERT_TRUE(net.until_delivered(2, "question"));
  net.submit(2, "answer");
  ASSERT_TRUE(net.until_delivered(1, "answer"));
  net.crash(1);
  net.crash(2);
  ASSERT_TRUE(net.until_one_ring(2));
  EXPECT_EQ(net.log(3), lines({"trans 3 4", "ring 3 4"}));
  EXPECT_EQ(net.log(4), lines({"trans 3 4", "ring 3 4"}));
}

// Agreed delivery: one order for all, however the packets come.
TEST(EvsAgreedDelivery, AllDeliverInOneOrder) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  uint32_t n = 0;
  net.loses = [&](const Sent& packet, HostId) { return packet.type == PacketType::data && ++n % 3 == 0; };
  for (int i = 0; i < 20; ++i)
    for (const HostId id : {1, 2, 3}) net.submit(id, std::to_string(id) + "." + std::to_string(i));
  net.run(200 * kMs);
  const auto first = net.log(1);
  EXPECT_EQ(first.size(), 60u);
  EXPECT_EQ(net.log(2), first);
  EXPECT_EQ(net.log(3), first);
}

// Safe delivery: what one delivers in the old configuration because all had it, each of that configuration delivers, even cut off and alone.
TEST(EvsSafeDelivery, WhoHasAcknowledgedDeliversEvenAlone) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.submit(1, "m", Service::safe);
  ASSERT_TRUE(net.until([&] { return net.has(1, "m") || net.has(2, "m") || net.has(3, "m"); }));
  const HostId first = net.has(1, "m") ? 1 : net.has(2, "m") ? 2 : 3;
  net.split({1});
  net.cut(2, 3);
  net.cut(3, 2);
  net.run(500 * kMs);
  for (const HostId id : {1, 2, 3}) {
    const auto log = net.log(id);
    const std::string alone = std::to_string(id);
    if (id == first) EXPECT_EQ(log, (StoryNet::Log{"m", "trans " + alone, "ring " + alone}));
    else EXPECT_TRUE(log == (StoryNet::Log{"m", "trans " + alone, "ring " + alone}) || log == (StoryNet::Log{"trans " + alone, "m", "ring " + alone})) << id;
  }
}

// Safe delivery in a transitional configuration promises its members alone: the others need not have it.
TEST(EvsSafeDelivery, InTheTransitionalConfigurationItIsAPromiseOfItsMembersOnly) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId to) { return packet.type == PacketType::data && to == 3; };
  net.submit(1, "m", Service::safe);
  net.run(10 * kMs);
  net.split({3});
  net.run(500 * kMs);
  EXPECT_EQ(net.log(1), lines({"trans 1 2", "m", "ring 1 2"}));
  EXPECT_EQ(net.log(2), lines({"trans 1 2", "m", "ring 1 2"}));
  EXPECT_EQ(net.log(3), lines({"trans 3", "ring 3"}));
}

// Obligations: who has told in a recovery that it holds everything delivers it, though the ring that it was told on is never installed.
TEST(EvsObligations, APromiseGivenInARecoveryThatFailsIsKept) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId to) { return packet.type == PacketType::data && packet.from == 2 && to == 1; };
  net.submit(2, "of two", Service::safe);
  ASSERT_TRUE(net.until([&] { return !net.of(PacketType::data).empty(); }));
  net.crash(3);
  // They recover, and 1 gets it there. As soon as 1 has told that it has everything, both are alone.
  net.loses = [](const Sent&, HostId) { return false; };
  ASSERT_TRUE(net.until([&] { return std::string(net.at(1).phase_name()) == "recovery"; }));
  net.run(kMs / 2);
  net.split({1});
  net.run(500 * kMs);
  EXPECT_TRUE(net.has(1, "of two"));
  EXPECT_TRUE(net.has(2, "of two"));
}

}  // namespace
}  // namespace evs::ordering
