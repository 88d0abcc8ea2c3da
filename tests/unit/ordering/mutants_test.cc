// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/mutants_test.cc - rules whose absence breaks no axiom, measured with the rule and without it, and one whose absence chance shows too
// rarely (bus/ordering/mutant.h; the others are the simulator's).
#include "bus/ordering/mutant.h"
#include "tests/unit/ordering/story_net.h"

namespace evs::ordering {
namespace {

class Without {
 public:
  explicit Without(Mutant rule) { g_mutant = rule; }
  ~Without() { g_mutant = Mutant::none; }
};

// Frames said twice on a ring that loses nothing, with the early token.
size_t needless_repetitions() {
  StoryNet net({1, 2, 3, 4}, [](Settings& s) { s.accelerated_frames = 10; });
  EXPECT_TRUE(net.until_one_ring(4));
  net.sent.clear();
  const std::string large(1200, 'x');
  // Frames take as long as tokens, so those behind a token arrive behind it: the next member works without them.
  for (int i = 0; i < 60; ++i)
    for (const HostId id : {1, 2, 3, 4}) net.submit(id, large);
  net.run(100 * kMs);
  std::set<Seq> seen;
  size_t again = 0;
  for (const Sent& packet : net.of(PacketType::data)) again += !seen.insert(packet.data().seq).second;
  return again;
}

TEST(AskForTheUnsent, CostsRepetitionsThatNobodyNeeds) {
  EXPECT_EQ(needless_repetitions(), 0u);
  const Without rule(Mutant::ask_for_the_unsent);
  EXPECT_GT(needless_repetitions(), 100u);
}

// A holder crashes, its successor's multicasts are blocked (a firewall), and so nobody hears of its gathering; but its last token
// reaches its own successor again and again. How long until that one and the next have a ring of their own?
Duration time_to_a_new_ring() {
  StoryNet net({1, 2, 3, 4});
  EXPECT_TRUE(net.until_one_ring(4));
  net.run(3 * kMs);
  net.submit(2, "m");
  // The token goes from 4 to 1 to 2 to 3, and 4 is gone before it comes back.
  EXPECT_TRUE(net.until([&] { return net.of(PacketType::token).back().from == 3 && net.of(PacketType::data).size() > 0; }));
  net.crash(4);
  const Instant crashed = net.now();
  net.loses = [](const Sent& packet, HostId) { return packet.from == 1 && packet.to == kNoHost; };
  EXPECT_TRUE(net.until([&] { return net.at(2).is_operational() && net.at(2).members().size() == 2 && net.at(3).is_operational(); }));
  return net.now() - crashed;
}

TEST(DuplicateIsProgress, KeepsABrokenRingAlive) {
  const Duration token_lost = 50 * kMs, consensus = 60 * kMs, slack = 15 * kMs;
  const Duration with = time_to_a_new_ring();
  EXPECT_LE(with, token_lost + consensus + slack);
  const Without rule(Mutant::duplicate_is_progress);
  EXPECT_GT(time_to_a_new_ring(), token_lost + consensus + slack) << "host 2 took host 1's repetitions for life";
}

// Host 4 dies with a frame that nobody got; what 1 says stands behind that gap. Hosts 1, 2 and 3 recover, and the token does not get beyond 2 from its
// `visit`th visit of the recovery on; then 1 is gone, too. At one of these visits 2 has promised, and 3 has not.
std::pair<StoryNet::Log, StoryNet::Log> two_failures(uint32_t visit) {
  StoryNet net({1, 2, 3, 4});
  EXPECT_TRUE(net.until_one_ring(4));
  net.run(3 * kMs);
  net.forget_logs();
  net.loses = [](const Sent& packet, HostId) { return packet.type == PacketType::data && packet.from == 4; };
  net.submit(4, "gap");
  EXPECT_TRUE(net.until([&] { return !net.of(PacketType::data).empty(); }));
  net.submit(1, "m");
  EXPECT_TRUE(net.until([&] { return net.of(PacketType::data).back().from == 1; }));
  net.run(StoryNet::kHop);
  net.crash(4);
  uint32_t visits = 0;
  net.loses = [&](const Sent& packet, HostId) {
    const bool recovering = packet.type == PacketType::token && packet.from == 2 && std::string(net.at(2).phase_name()) == "recovery";
    return recovering && ++visits >= visit;
  };
  EXPECT_TRUE(net.until([&] { return visits >= visit || net.at(2).members().size() == 3; }));
  net.crash(1);
  EXPECT_TRUE(net.until([&] { return std::string(net.at(3).phase_name()) == "gather"; })) << "it has not heard 2's repetitions either";
  net.loses = [](const Sent&, HostId) { return false; };
  EXPECT_TRUE(net.until_one_ring(2));
  return {net.log(2), net.log(3)};
}

// Obligations are handed on: who was in the recovery but had not promised yet is bound by the promise of who had.
TEST(DirectObligations, BreakFailureAtomicityWhenTwoFail) {
  constexpr uint32_t kVisits = 6;  // more than a recovery takes
  bool delivered = false;
  for (uint32_t visit = 1; visit <= kVisits; ++visit) {
    const auto [two, three] = two_failures(visit);
    EXPECT_EQ(two, three) << visit;
    delivered |= three == lines({"trans 2 3", "m", "ring 2 3"});
  }
  EXPECT_TRUE(delivered);
  const Without rule(Mutant::direct_obligations);
  bool differ = false;
  for (uint32_t visit = 1; visit <= kVisits; ++visit) {
    const auto [two, three] = two_failures(visit);
    differ |= two != three;
  }
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace evs::ordering
