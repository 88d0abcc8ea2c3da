// SPDX-License-Identifier: BSD-3-Clause
// alternate.h - the yardstick before and after everything that is measured by it.
//
// Two virtual processors of one machine are sometimes near each other and sometimes far, and change within minutes; a
// probe taken once at the start says nothing about the third minute. So a probe stands on either side of each evs
// round, and a round whose two probes differ by more than half is left out of the median (and counted): the machine
// changed under it. That choice looks at the probe alone, never at our own figure.
#pragma once

#include <vector>

#include "tests/bench/samples.h"

namespace evs::bench {

inline constexpr double kSteadyWithin = 1.5;
inline constexpr size_t kSteadyRoundsMin = 3;

template <typename Probe, typename Ours>
struct Alternation {
  Probe before;
  Ours ours;
  Probe after;
};

// `probe` and `ours` each run one round; probe runs rounds + 1 times.
template <typename RunProbe, typename RunOurs>
auto alternate(int rounds, RunProbe probe, RunOurs ours) {
  std::vector<Alternation<decltype(probe()), decltype(ours())>> out;
  auto before = probe();
  for (int i = 0; i < rounds; ++i) {
    const auto mine = ours();
    const auto after = probe();
    out.push_back({before, mine, after});
    before = after;
  }
  return out;
}

struct Compared {
  std::vector<double> values;
  int unsteady = 0;
};

// value(probe, ours) for every steady alternation, `size` being what a probe's steadiness is judged by. With fewer than
// three steady ones all are taken: a spread that shows the noise beats a figure chosen from too few.
template <typename Alternations, typename Size, typename Value>
Compared compare(const Alternations& alternations, Size size, Value value) {
  Compared steady, all;
  for (const auto& each : alternations) {
    const double before = size(each.before);
    const double after = size(each.after);
    const double result = value((before + after) / 2, each.ours);
    all.values.push_back(result);
    if (before > after * kSteadyWithin || after > before * kSteadyWithin) {
      ++steady.unsteady;
    } else {
      steady.values.push_back(result);
    }
  }
  return steady.values.size() >= kSteadyRoundsMin || steady.unsteady == 0 ? steady : all;
}

// The median over all rounds of something to print beside the ratio.
template <typename Alternations, typename Pick>
double median_over(const Alternations& alternations, Pick pick) {
  std::vector<double> values;
  for (const auto& each : alternations) values.push_back(pick(each));
  return median_of(values);
}

}  // namespace evs::bench
