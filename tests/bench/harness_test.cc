// SPDX-License-Identifier: BSD-3-Clause
// harness_test.cc - the benchmark is awake: what it must notice is planted here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/bench/alternate.h"
#include "tests/bench/bare_log.h"
#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/payload.h"
#include "tests/bench/rate_round.h"
#include "tests/bench/report.h"

namespace evs::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kBytes = 64;

Tally read_messages(const std::vector<uint64_t>& numbers) {
  Tally tally{};
  Payload payload(kBytes, 0);
  for (const uint64_t number : numbers) {
    payload.number(number);
    tally.take(payload.data(), payload.bytes());
  }
  return tally;
}

std::string complaint(const Tally& tally, uint64_t sent) {
  try {
    require_complete(tally, kBytes, &sent, 1, "reader");
  } catch (const Malfunction& found) {
    return found.what();
  }
  return "";
}

TEST(Payload, AllThatWasSentIsAccepted) {
  EXPECT_EQ(complaint(read_messages({0, 1, 2, 3, 4}), 5), "");
}

TEST(Payload, ALostMessageIsNoticed) {
  EXPECT_NE(complaint(read_messages({0, 1, 3, 4}), 5), "");
  EXPECT_NE(complaint(read_messages({0, 1, 2, 3}), 5), "");
}

TEST(Payload, ARepeatedMessageIsNoticed) {
  EXPECT_NE(complaint(read_messages({0, 1, 1, 2}), 3), "");
}

TEST(Payload, TwoSwappedMessagesAreNoticed) {
  EXPECT_THAT(complaint(read_messages({0, 2, 1, 2}), 3), ::testing::Not(""));
}

TEST(Payload, OneWrongBitIsNoticed) {
  Tally tally = read_messages({0, 1, 2});
  Payload payload(kBytes, 0);
  payload.number(3);
  std::vector<unsigned char> torn(kBytes);
  memcpy(torn.data(), payload.data(), kBytes);
  torn[kBytes - 1] ^= 1;
  tally.take(torn.data(), kBytes);
  EXPECT_THAT(complaint(tally, 4), HasSubstr("checksums"));
}

TEST(Percentiles, AreThoseOfTheSortedValues) {
  std::vector<uint32_t> values;
  for (uint32_t i = 1000; i > 0; --i) values.push_back(i);
  const Percentiles found = percentiles_of(values, 2.0);
  EXPECT_EQ(found.p50, 2 * 500.5);
  EXPECT_EQ(found.p90, 2 * 900.5);
  EXPECT_EQ(found.p99, 2 * 990.5);
  EXPECT_EQ(found.p999, 2 * 1000);
  EXPECT_EQ(found.max, 2 * 1000);
  EXPECT_EQ(median_of({4, 1, 3, 2}), 2.5);
}

TEST(Percentiles, TellWhereInAStepOfTheClockTheyLie) {
  // Of 100 samples 40 read 100, 40 read 110: half of all lie below a quarter of the second step.
  std::vector<uint32_t> values(40, 100);
  values.insert(values.end(), 40, 110);
  values.insert(values.end(), 20, 120);
  EXPECT_EQ(percentiles_of(values, 1.0).p50, 107.5);
}

using Rounds = std::vector<Alternation<double, double>>;

Compared ratios(const Rounds& rounds) {
  return compare(
      rounds, [](double probe) { return probe; }, [](double probe, double ours) { return ours / probe; });
}

TEST(Compare, LeavesOutRoundsInWhichTheMachineChanged) {
  const Compared found = ratios({{100, 200, 100}, {100, 300, 100}, {100, 9000, 400}, {400, 800, 400}});
  EXPECT_THAT(found.values, ElementsAre(2, 3, 2));
  EXPECT_EQ(found.unsteady, 1);
}

TEST(Compare, TakesAllRatherThanTooFew) {
  const Compared found = ratios({{100, 200, 100}, {100, 300, 300}, {300, 300, 100}});
  EXPECT_THAT(found.values, ElementsAre(2, 1.5, 1.5));
}

TEST(Crew, AChildsReasonReachesTheParent) {
  Crew crew;
  crew.start("bad", kAnyCpu, [] { throw Malfunction("the reason"); });
  try {
    crew.finish();
    FAIL() << "a failing child went unnoticed";
  } catch (const Malfunction& found) {
    EXPECT_STREQ(found.what(), "bad: the reason");
  }
}

TEST(Crew, ADeadChildIsNoticedAndTheOthersDoNotOutliveTheRound) {
  pid_t waiting = 0;
  {
    Crew crew;
    waiting = crew.start("waiting", kAnyCpu, [] {
      while (true) pause();
    });
    crew.start("dying", kAnyCpu, [] { raise(SIGKILL); });
    EXPECT_THROW(crew.finish(), Malfunction);
  }
  EXPECT_NE(kill(waiting, 0), 0);
}

TEST(BareLog, CarriesEverythingToEveryReaderThroughManyLaps) {
  // Two of each on two processors; a third of a second is hundreds of laps. run_rate_round() checks every byte.
  BareLog log(192, 72, kBytes, 2);
  const RateRound round{300, kBytes, 2, 2};
  const double rate = run_rate_round(
      "bare log", round,
      [&](uint32_t, SendLoop& loop) {
        BareLog::Writer writer(log, true);
        loop.ready();
        while (const Payload* message = loop.next()) writer.append(message->data());
      },
      [&](uint32_t index, ReadLoop& loop) {
        BareLog::Reader reader(log, index);
        loop.ready();
        while (!loop.complete()) {
          loop.found(reader.read([&](const void* data, size_t bytes) { loop.tally().take(data, bytes); }));
        }
      });
  EXPECT_GT(rate, 0);
}

TEST(Report, JsonTellsTheVerdictByTheSideOfTheBound) {
  Report report;
  report.outcomes = {{TargetId::rate_64, {0.5, 0.7, 0.9}, {}, 0, ""},
                     {TargetId::memory, {9}, {}, 0, ""},
                     {TargetId::system_calls, {}, {}, 0, "no \"strace\""}};
  const std::string json = to_json(report);
  EXPECT_THAT(json, HasSubstr("\"id\":\"rate-64\",\"what\":"));
  EXPECT_THAT(json, HasSubstr("\"bound\":0.65},\"verdict\":\"within\",\"value\":0.7,\"low\":0.5,\"high\":0.9"));
  EXPECT_THAT(json, HasSubstr("\"bound\":8},\"verdict\":\"outside\",\"value\":9"));
  EXPECT_THAT(json, HasSubstr("\"verdict\":\"skipped\",\"skipped\":\"no \\\"strace\\\"\""));
}

}  // namespace
}  // namespace evs::bench
