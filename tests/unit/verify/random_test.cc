// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/random_test.cc - hundreds of correct runs are found correct, and of the faults planted in them each
// is found by the predicate that should. Which places a fault finds is random too; how often it found one is counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

#include "tests/unit/verify/faults.h"
#include "tests/unit/verify/model.h"
#include "tests/unit/verify/story.h"
#include "tools/verify/trace_text.h"

namespace evs::verify {
namespace {

constexpr uint64_t kSeeds = 400;
constexpr uint32_t kSteps = 300;

TEST(RandomRuns, CorrectOnesAreFoundCorrect) {
  uint32_t events = 0, partitions = 0, merges = 0, crashes = 0, gaps = 0, safe_in_transition = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Model model(seed);
    model.live(kSteps);
    std::vector<std::vector<uint32_t>> all(1);
    for (const Trace& trace : model.run.traces) {
      events += static_cast<uint32_t>(trace.events.size());
      all[0].push_back(trace.process.nodeid);
    }
    const auto violations = check(model.run, {.quiescent = true});
    ASSERT_TRUE(violations.empty()) << "seed " << seed << "\n" << told(violations);
    const auto liveness = check_liveness(model.run, all, {.quiescent = true});
    ASSERT_TRUE(liveness.empty()) << "seed " << seed << "\n" << told(liveness);
    partitions += model.partitions;
    merges += model.merges;
    crashes += model.crashes;
    gaps += model.gaps;
    safe_in_transition += model.safe_in_transition;
  }
  std::printf("%u events, %u partitions, %u merges, %u crashes, %u recoveries with gaps, %u safe in a transition\n",
              events, partitions, merges, crashes, gaps, safe_in_transition);
  for (const uint32_t rare : {partitions, merges, crashes, gaps, safe_in_transition}) EXPECT_GT(rare, kSeeds / 4);
}

TEST(RandomRuns, EachFaultIsFoundByItsPredicate) {
  for (const Fault& fault : faults()) {
    uint32_t planted = 0;
    for (uint64_t seed = 1; seed <= kSeeds / 4; ++seed) {
      Model model(seed);
      model.live(kSteps);
      std::mt19937_64 random(seed);
      const Options options{.quiescent = true};
      if (!fault.plant(model.run, Index(model.run, options), random)) continue;
      ++planted;
      const auto violations = check(model.run, options);
      const bool found = std::any_of(violations.begin(), violations.end(),
                                     [&](const Violation& v) { return v.predicate == fault.predicate; });
      ASSERT_TRUE(found) << fault.name << ", seed " << seed << ": found " << broken(violations) << ", not "
                         << fault.predicate << "\n"
                         << told(violations);
    }
    std::printf("%-45s %-4s %u times\n", fault.name, fault.predicate, planted);
    EXPECT_GT(planted, 10u) << fault.name;
  }
}

TEST(RandomRuns, TextSaysTheSame) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Model model(seed);
    model.live(kSteps);
    verify::Run copy;
    std::string reason;
    for (const Trace& trace : model.run.traces)
      ASSERT_TRUE(read_trace(trace_text(model.run, trace), "copy", copy, reason)) << reason;
    for (size_t i = 0; i < copy.traces.size(); ++i)
      EXPECT_EQ(trace_text(copy, copy.traces[i]), trace_text(model.run, model.run.traces[i]));
    EXPECT_EQ(broken(check(copy, {.quiescent = true})), "");
  }
}

// The bound is for a machine under load with sanitizers; the figure is printed.
void time_check(const char* what, const verify::Run& run) {
  size_t events = 0;
  for (const Trace& trace : run.traces) events += trace.events.size();
  const auto before = std::chrono::steady_clock::now();
  const auto violations = check(run, {.quiescent = true});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  EXPECT_TRUE(violations.empty()) << told(violations);
  std::printf("%s: %zu events in %.3f s\n", what, events, took.count());
  EXPECT_GT(events, 100'000u);
  EXPECT_LT(took.count(), 20.0);
}

TEST(RandomRuns, AHundredThousandEventsTakeNoTime) {
  Model model(7);
  model.live(80'000);
  time_check("many rings of few", model.run);
}

// Where what is asked of each member costs most: 64 hosts, one ring, each message the cause of the next.
TEST(RandomRuns, SixtyFourHostsTakeLittle) {
  Story s(Level::process);
  Nodeids all;
  for (uint32_t p = 1; p <= 64; ++p) {
    s.boot(p);
    all.push_back(p);
  }
  s.reg("R", 1, all);
  for (uint64_t seq = 1; seq <= 1600; ++seq) {
    s.send(static_cast<uint32_t>(seq % 64) + 1, seq, Service::safe);
    s.deliver(all, "R", {seq});
  }
  s.end(all);
  time_check("one ring of 64", s.run);
}

}  // namespace
}  // namespace evs::verify
