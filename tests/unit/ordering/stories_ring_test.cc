// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/stories_ring_test.cc - the Accelerated Ring (Babay, Amir, ICDCS 2016), and what a visit of the token allows; docs/testing.md lists
// the stories.
#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

const std::string kLarge(1200, 'x');  // a frame of its own

// Frames that were on the wire before: what somebody asked for, needed or not.
size_t said_again(const std::vector<Sent>& sent) {
  std::set<std::pair<RingId, Seq>> seen;
  size_t again = 0;
  for (const Sent& packet : sent)
    if (packet.type == PacketType::data) again += !seen.insert({packet.data().ring, packet.data().seq}).second;
  return again;
}

struct Visit {
  uint32_t before = 0, behind = 0;  // frames of one host around a token of its own
  uint64_t round_before = 0, round_behind = 0;
};

Visit first_full_visit(const std::vector<Sent>& sent, HostId host) {
  Visit visit;
  bool passed = false;
  Instant left;
  for (const Sent& packet : sent) {
    if (packet.from != host) continue;
    if (passed && packet.at != left) break;
    if (packet.type == PacketType::token && visit.before != 0) {
      passed = true;
      left = packet.at;
    }
    if (packet.type != PacketType::data) continue;
    ++(passed ? visit.behind : visit.before);
    (passed ? visit.round_behind : visit.round_before) = packet.data().round;
  }
  return visit;
}

// Acceleration: the token leaves before the last frames, which say by their round that it has left.
TEST(AcceleratedRing, TheTokenLeavesBeforeTheLastFrames) {
  StoryNet net({1, 2, 3}, [](Settings& s) { s.accelerated_frames = 4; s.personal_frames = 10; });
  ASSERT_TRUE(net.until_one_ring(3));
  net.run(20 * kMs);
  net.sent.clear();
  for (int i = 0; i < 40; ++i) net.submit(2, kLarge);
  net.run(2 * kMs);
  const Visit visit = first_full_visit(net.sent, 2);
  EXPECT_EQ(visit.before, 6u);
  EXPECT_EQ(visit.behind, 4u);
  EXPECT_EQ(visit.round_behind, visit.round_before + 1);
}

// Without acceleration it is Totem: the token is the last to leave.
TEST(AcceleratedRing, WithNoneBehindTheTokenItIsTotem) {
  StoryNet net({1, 2, 3}, [](Settings& s) { s.accelerated_frames = 0; s.personal_frames = 10; });
  ASSERT_TRUE(net.until_one_ring(3));
  net.run(20 * kMs);
  net.sent.clear();
  for (int i = 0; i < 15; ++i) net.submit(2, kLarge);
  net.run(2 * kMs);
  size_t tokens = 0, data = 0;
  for (const Sent& packet : net.sent) {
    if (packet.from != 2) continue;
    tokens += packet.type == PacketType::token;
    if (packet.type == PacketType::data) {
      ++data;
      EXPECT_EQ(packet.data().round, net.of(PacketType::data).front().data().round + tokens);
    }
  }
  EXPECT_EQ(data, 15u);
}

// Retransmission with acceleration: nobody asks for what the token speaks of but may not be on the wire yet.
TEST(AcceleratedRing, NobodyAsksForTheUnsent) {
  StoryNet net({1, 2, 3, 4}, [](Settings& s) { s.accelerated_frames = 10; });
  ASSERT_TRUE(net.until_one_ring(4));
  net.sent.clear();
  for (int i = 0; i < 60; ++i)
    for (const HostId id : {1, 2, 3, 4}) net.submit(id, kLarge);
  net.run(100 * kMs);
  EXPECT_EQ(net.log(3).size(), 3u + 240u);
  EXPECT_EQ(said_again(net.sent), 0u);
}

// The window: while somebody has not received for long, the others do not leave its window, and go on when it has.
TEST(Window, NobodyLeavesTheWindowOfWhoIsFarBehind) {
  StoryNet net({1, 2, 3}, [](Settings& s) { s.store_frames = 128; s.window_frames = 32; s.personal_frames = 8; });
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  bool deaf = true;  // to the first frame
  Seq first;
  net.loses = [&](const Sent& packet, HostId to) {
    if (packet.type != PacketType::data) return false;
    if (first == Seq{}) first = packet.data().seq;
    return deaf && packet.data().seq == first && to == 3;
  };
  for (int i = 0; i < 200; ++i) net.submit(1, kLarge);
  net.run(30 * kMs);
  EXPECT_LE(net.log(2).size(), 128u - 32u);
  EXPECT_GT(net.at(1).rare(Rare::window_closed), 0u);
  deaf = false;
  ASSERT_TRUE(net.until([&, n = size_t{0}]() mutable { return (n += net.log(3).size()) == 200; }));
  EXPECT_EQ(net.at(3).dropped(Drop::outside_window), 0u);
}

// A member that holds the line back for good is given up by the others (cannot receive), and they go on.
TEST(Window, WhoCannotReceiveIsGivenUp) {
  StoryNet net({1, 2, 3}, [](Settings& s) { s.cannot_receive_visits = 50; });
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId to) { return packet.type == PacketType::data && to == 3; };
  net.submit(1, "m", Service::safe);
  ASSERT_TRUE(net.until([&] { return net.at(1).is_operational() && net.at(1).members().size() == 2; }));
  EXPECT_EQ(net.log(1), lines({"trans 1 2", "m", "ring 1 2"}));
  EXPECT_EQ(net.at(1).entered_gather(Why::cannot_receive) + net.at(2).entered_gather(Why::cannot_receive) > 0, true);
}

// What an operator is told of it meanwhile: how far it is, and whom the others wait for.
TEST(Window, WhoLacksWhatTheOthersHaveIsNamed) {
  StoryNet net({1, 2, 3}, [](Settings& s) { s.cannot_receive_visits = 10'000; });
  EXPECT_EQ(net.at(1).token_came_at(), kNever);
  ASSERT_TRUE(net.until_one_ring(3));
  net.run(20 * kMs);
  const Seq before = net.at(1).high();
  EXPECT_EQ(net.at(3).received_up_to(), before);
  EXPECT_EQ(net.at(1).lagging(), kNoHost);
  bool deaf = true;
  net.loses = [&](const Sent& packet, HostId to) { return deaf && packet.type == PacketType::data && to == 3; };
  net.submit(1, kLarge);
  net.submit(1, kLarge);
  EXPECT_GE(net.at(1).backlog_bytes(), kLarge.size()) << "the second waits for the token";
  net.run(20 * kMs);
  for (const HostId host : {1, 2, 3}) {
    EXPECT_EQ(net.at(host).lagging(), 3u);
    EXPECT_EQ(net.at(host).high(), Seq{before.value + 2});
    EXPECT_EQ(net.at(host).received_up_to(), host == 3 ? before : Seq{before.value + 2});
    EXPECT_EQ(net.at(host).stable(), before);
    EXPECT_LT(net.now() - net.at(host).token_came_at(), 5 * kMs);
  }
  EXPECT_EQ(net.at(1).backlog_bytes(), 0u);
  deaf = false;
  net.run(20 * kMs);
  EXPECT_EQ(net.at(2).lagging(), kNoHost);
  EXPECT_EQ(net.at(2).stable(), Seq{before.value + 2});
}

// The allowance: what is said again is paid for from it, so that a rotation with repetitions overruns nobody either.
TEST(Allowance, RepetitionsArePaidFor) {
  StoryNet net({1, 2, 3}, [](Settings& s) { s.personal_frames = 8; s.accelerated_frames = 0; });
  ASSERT_TRUE(net.until_one_ring(3));
  net.run(20 * kMs);
  net.forget_logs();
  uint32_t lost = 0;
  net.loses = [&](const Sent& packet, HostId to) { return packet.type == PacketType::data && to == 3 && lost < 24 && ++lost != 0; };
  for (int i = 0; i < 100; ++i) net.submit(1, kLarge);
  net.run(100 * kMs);
  EXPECT_EQ(net.log(3).size(), 100u);
  std::map<HostId, uint32_t> visit;
  uint32_t most = 0;
  for (const Sent& packet : net.sent) {
    if (packet.type == PacketType::data) most = std::max(most, ++visit[packet.from]);
    if (packet.type == PacketType::token) visit[packet.from] = 0;
  }
  EXPECT_EQ(said_again(net.sent), 24u);
  EXPECT_LE(most, 8u) << "fresh and repeated together";
}

// A ring of one with small windows says all it has, and hands on what it said (it once wrote over what it had just delivered).
TEST(Alone, SmallWindowsOverwriteNothing) {
  StoryNet net({1}, [](Settings& s) { s.store_frames = 64; s.window_frames = 32; s.personal_frames = 8; s.message_limit = 1 << 20; });
  StoryNet::Log said{"ring 1"};
  for (int i = 0; i < 50; ++i) {
    said.push_back(std::to_string(i) + kLarge);
    net.submit(1, said.back());
  }
  said.push_back(std::string(200'000, 'y'));
  net.submit(1, said.back());
  for (int i = 0; i < 50; ++i) {
    said.push_back(std::to_string(i) + kLarge);
    net.submit(1, said.back());
  }
  net.run(10 * kMs);
  EXPECT_EQ(net.log(1), said);
}

Token next_token_for_2(StoryNet& net) {
  EXPECT_TRUE(net.until([&] { return !net.of(PacketType::token).empty() && net.of(PacketType::token).back().to == 2; }));
  return net.of(PacketType::token).back().token();
}

// As if host 1 had passed it on, one rotation later.
void forge(StoryNet& net, Token token) {
  token.visit += 3;
  std::vector<std::byte> bytes;
  ASSERT_TRUE(wire::encode(Host{1, 1001}, token, bytes));
  net.say(1, 2, bytes);
}

// Refused, and counted: what no correct member says.
TEST(Refused, ATokenWhoseLineFell) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.submit(1, "m");
  net.run(30 * kMs);
  net.forget_logs();
  net.submit(1, "n");
  Token token = next_token_for_2(net);
  token.received_by_all = Seq{};
  forge(net, token);
  EXPECT_EQ(net.at(2).dropped(Drop::mark_fell), 1u);
  net.run(20 * kMs);
  EXPECT_EQ(net.log(2), lines({"n"})) << "and nothing else came of it";
}

// What no member's window reaches: there is no end of asking for it.
TEST(Refused, ATokenFarOutsideTheWindow) {
  for (const uint64_t high : {uint64_t{100'000}, UINT64_MAX}) {
    StoryNet net({1, 2, 3});
    ASSERT_TRUE(net.until_one_ring(3));
    net.forget_logs();
    net.submit(1, "m");
    Token token = next_token_for_2(net);
    token.high = Seq{high};
    forge(net, token);
    EXPECT_EQ(net.at(2).dropped(Drop::outside_window), 1u);
    net.run(20 * kMs);
    EXPECT_EQ(net.log(2), lines({"m"}));
  }
}

// Whoever holds a line back must be there to let it go, and a stage ends at somebody who is there.
TEST(Refused, ATokenThatWaitsForSomebodyWhoIsNoMember) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  net.forget_logs();
  net.submit(1, "m");
  std::vector<Token> tokens(3, next_token_for_2(net));
  tokens[0].lowered_by = 9;
  tokens[1].delayed_by = 9;
  tokens[2].stage = Stage::rest;
  tokens[2].stage_by = 9;
  for (const Token& token : tokens) forge(net, token);
  EXPECT_EQ(net.at(2).dropped(Drop::malformed), 3u);
  net.run(20 * kMs);
  EXPECT_EQ(net.log(2), lines({"m"}));
}

// Rings are named above what was heard, and that is stored: one packet must not use up all numbers.
TEST(Refused, ARingSequenceFarAheadIsNotBelievedAtOnce) {
  StoryNet net({1, 2, 3});
  ASSERT_TRUE(net.until_one_ring(3));
  const uint64_t before = net.at(2).ring().sequence;
  Join join;
  join.ring_sequence = kMaxSequence;
  join.candidates = {Host{1, 1001}, Host{2, 1002}, Host{3, 1003}};
  std::vector<std::byte> bytes;
  ASSERT_TRUE(wire::encode(Host{1, 1001}, join, bytes));
  net.say(1, 2, bytes);
  ASSERT_FALSE(net.at(2).is_operational());
  ASSERT_TRUE(net.until_one_ring(3));
  EXPECT_GT(net.at(2).ring().sequence, before);
  EXPECT_LT(net.at(2).ring().sequence, before + 2 * kMostAhead);
}

TEST(Refused, AFrameFarOutsideTheWindow) {
  StoryNet net({1, 2});
  ASSERT_TRUE(net.until_one_ring(2));
  net.forget_logs();
  net.submit(1, "m");
  ASSERT_TRUE(net.until([&] { return !net.of(PacketType::data).empty(); }));
  const Sent frame = net.of(PacketType::data).front();  // which the payload lies in
  Data data = frame.data();
  data.seq = Seq{data.seq.value + 100'000};
  std::vector<std::byte> bytes;
  ASSERT_TRUE(wire::encode(Host{1, 1001}, data, bytes));
  net.say(1, 2, bytes);
  EXPECT_EQ(net.at(2).dropped(Drop::outside_window), 1u);
  net.run(20 * kMs);
  EXPECT_EQ(net.log(2), lines({"m"}));
}

}  // namespace
}  // namespace evs::ordering
