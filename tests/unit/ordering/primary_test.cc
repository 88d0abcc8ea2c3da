// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/primary_test.cc - each answer to the question whether a ring is primary, as a story. At random: primary_runs_test.cc.
#include <gtest/gtest.h>

#include "bus/ordering/primary.h"

namespace evs::ordering {
namespace {

constexpr Quorum kLast{Quorum::Rule::last_primary, 0};
const Host kA{1, 11}, kB{2, 12}, kC{3, 13}, kD{4, 14};

Attempt attempt(uint64_t epoch, const Hosts& hosts) { return {epoch, RingId{epoch * 4, hosts.front().id, 1}, hosts}; }
PrimaryRecord formed(uint64_t epoch, const Hosts& hosts) { return {attempt(epoch, hosts), {}}; }
PrimaryRecord tried(const PrimaryRecord& record, const Attempt& attempt) {
  PrimaryRecord next = record;
  next.attempts.push_back(attempt);
  return next;
}
Decision ask(const PrimaryRecords& said, const Quorum& quorum = kLast) { return decide(quorum, {100, said.begin()->first.id, 9}, said); }

TEST(Primary, NobodyBeginsByChance) {
  EXPECT_EQ(ask({{kA, {}}, {kB, {}}, {kC, {}}}).verdict, Verdict::nobody_knows);
}

TEST(Primary, ItGrowsFromTheHostThatBeganIt) {
  const Decision decision = ask({{kA, begun_by(kA)}, {kB, {}}, {kC, {}}});
  ASSERT_EQ(decision.verdict, Verdict::forms);
  EXPECT_EQ(decision.attempt, (Attempt{2, {100, 1, 9}, {kA, kB, kC}}));
  EXPECT_EQ(ask({{kB, {}}, {kC, {}}}).verdict, Verdict::nobody_knows);
}

TEST(Primary, MoreThanHalfOfTheLastOneGoesOnAndHalfDoesNot) {
  const PrimaryRecord last = formed(5, {kA, kB, kC, kD});
  EXPECT_EQ(ask({{kA, last}, {kB, last}, {kC, last}}).verdict, Verdict::forms);
  EXPECT_EQ(ask({{kA, last}, {kB, last}}).verdict, Verdict::no_majority);
  EXPECT_EQ(ask({{kA, last}, {{5, 15}, {}}, {{6, 16}, {}}}).verdict, Verdict::no_majority) << "newcomers are no votes";
  const PrimaryRecord smaller = formed(6, {kA, kB, kC});  // and so on down
  EXPECT_EQ(ask({{kA, smaller}, {kB, smaller}}).verdict, Verdict::forms);
}

TEST(Primary, WhoWasAwayDoesNotGoByWhatIsLongOver) {
  const PrimaryRecord old = formed(5, {kA, kB, kC, kD}), last = formed(6, {kA, kB, kC});
  EXPECT_EQ(ask({{kA, last}, {kD, old}}).verdict, Verdict::no_majority);
  const Decision decision = ask({{kA, last}, {kB, last}, {kD, old}});
  ASSERT_EQ(decision.verdict, Verdict::forms);
  EXPECT_EQ(decision.attempt.epoch, 7u);
  EXPECT_EQ(with_attempt(old, decision).formed.epoch, 6u);
}

TEST(Primary, WhoseDiskIsAheadWritesNothingOlder) {
  const PrimaryRecord last = formed(5, {kA, kB, kC});
  const Decision decision = ask({{kA, last}, {kB, last}});
  const PrimaryRecord tried_it = with_attempt(last, decision), formed_it = with_formed(tried_it, decision.attempt);
  EXPECT_EQ(with_attempt(tried_it, decision), tried_it);
  EXPECT_EQ(with_attempt(formed_it, decision), formed_it);
  EXPECT_EQ(with_formed(formed_it, decision.attempt), formed_it);
}

TEST(Primary, ARuleIsOneForAllMembers) {
  const Quorum fixed{Quorum::Rule::fixed, 3};
  const Voter begun{kLast, kA.nonce, begun_by(kA)};
  const auto ask_all = [](const Voters& said) { return decide(RingId{100, 1, 9}, said); };
  EXPECT_EQ(ask_all({{1, begun}, {2, {kLast, kB.nonce, {}}}}).verdict, Verdict::forms);
  EXPECT_EQ(ask_all({{1, begun}, {2, {kLast, kB.nonce, {}}}}).attempt.hosts, (Hosts{kA, kB}));
  EXPECT_EQ(ask_all({{1, begun}, {2, {fixed, kB.nonce, {}}}}).verdict, Verdict::rules_differ);
  EXPECT_EQ(ask_all({{1, begun}, {2, {}}}).verdict, Verdict::rules_differ);
  EXPECT_EQ(ask_all({{1, {fixed, 1, {}}}, {2, {{Quorum::Rule::fixed, 4}, 1, {}}}}).verdict, Verdict::rules_differ);
  EXPECT_EQ(ask_all({{1, {}}, {2, {}}}).verdict, Verdict::off);
  EXPECT_EQ(ask_all({}).verdict, Verdict::rules_differ);
}

TEST(Primary, ATryThatMayHaveSucceededNeedsItsMajorityToo) {
  const PrimaryRecord last = formed(5, {kA, kB, kC});
  const Attempt grown = attempt(6, {kA, kB, kC, kD});  // d may have learned that it is formed
  const PrimaryRecord trying = tried(last, grown);
  EXPECT_EQ(ask({{kA, trying}, {kB, trying}}).verdict, Verdict::may_have_formed) << "two of three, and two of four";
  EXPECT_EQ(ask({{kA, trying}, {kB, trying}, {kC, trying}}).verdict, Verdict::forms);
}

TEST(Primary, ATryFailedIfOneOfItDidNotVote) {
  const PrimaryRecord last = formed(5, {kA, kB, kC});
  const Attempt grown = attempt(6, {kA, kB, kC, kD});
  const Decision decision = ask({{kA, tried(last, grown)}, {kB, last}});
  ASSERT_EQ(decision.verdict, Verdict::forms);
  EXPECT_EQ(decision.attempt.epoch, 7u) << "its epoch was seen";
  EXPECT_EQ(with_attempt(tried(last, grown), decision).attempts, std::vector<Attempt>{decision.attempt});
}

TEST(Primary, ATryFailedIfAllAreHereAndNobodyKnowsThatItIsFormed) {
  const PrimaryRecord last = formed(5, {kA, kB}), trying = tried(last, attempt(6, {kA, kB}));
  EXPECT_TRUE(ask({{kA, trying}, {kB, trying}}).unsettled.empty());
}

TEST(Primary, WhoseDiskIsLostIsSomebodyElse) {
  const PrimaryRecord last = formed(5, {kA, kB, kC}), trying = tried(last, attempt(6, {kA, kB, kC}));
  const Host b_again{kB.id, kB.nonce + 1};
  EXPECT_EQ(ask({{kA, trying}, {b_again, {}}}).verdict, Verdict::no_majority);
  EXPECT_EQ(ask({{kA, trying}, {b_again, {}}}).unsettled.size(), 1u) << "and no witness that the try failed";
}

TEST(Primary, TriesAreBounded) {
  PrimaryRecord last = formed(1, {kA, kB, kC});
  for (uint64_t epoch = 2; epoch < 2 + kMaxAttempts; ++epoch) last.attempts.push_back(attempt(epoch, {kA, kB, kC}));
  EXPECT_EQ(ask({{kA, last}, {kB, last}}).verdict, Verdict::too_many_tries);
  EXPECT_EQ(ask({{kA, last}, {kB, last}, {kC, last}}).verdict, Verdict::forms) << "they have met, and none was formed";
}

TEST(Primary, TwoChainsAreNeverJoined) {
  const PrimaryRecord one = formed(5, {kA}), other = formed(5, {kB});
  EXPECT_EQ(ask({{kA, one}, {kB, other}}).verdict, Verdict::two_histories);
}

TEST(Primary, OfAFixedNumberMoreThanHalf) {
  const Quorum three{Quorum::Rule::fixed, 3};
  EXPECT_EQ(ask({{kA, {}}}, three).verdict, Verdict::no_majority);
  EXPECT_EQ(ask({{kA, {}}, {kB, {}}}, three).verdict, Verdict::forms);
  EXPECT_EQ(ask({{kA, {}}, {kB, {}}, {kC, {}}, {kD, {}}}, three).verdict, Verdict::too_many_hosts);
}

TEST(Primary, EpochsEnd) {
  EXPECT_EQ(ask({{kA, formed(UINT64_MAX, {kA})}}).verdict, Verdict::out_of_epochs);
  EXPECT_EQ(ask({{kA, formed(UINT64_MAX - 1, {kA})}}).verdict, Verdict::forms);
}

TEST(Primary, WhatIsFormedSettlesWhatWasTriedBefore) {
  const PrimaryRecord last = formed(5, {kA, kB}), trying = tried(tried(last, attempt(6, {kA, kB})), attempt(7, {kA, kB, kC}));
  EXPECT_EQ(with_formed(trying, attempt(7, {kA, kB, kC})), formed(7, {kA, kB, kC}));
  EXPECT_EQ(with_formed(formed(8, {kA}), attempt(7, {kA, kB})), formed(8, {kA})) << "a late one takes nothing back";
}

}  // namespace
}  // namespace evs::ordering
