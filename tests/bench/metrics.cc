// SPDX-License-Identifier: BSD-3-Clause
// metrics.cc - what it costs to be measured: the same rounds with histograms and without (metrics.histograms), by turns in one run.
//
// Differences of a percent or two drown in what a machine does by itself from one second to the next. So turns are short and many, each with histograms stands
// between two without, and the median of the ratios is the figure; its range is the machine's.
#include <stdlib.h>

#include "tests/bench/alternate.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kBytes = 64;
constexpr int kTurnsARound = 4;   // of the plan's rounds
constexpr int kShorter = 3;       // than the plan's halves

// The children of a round read it from their environment.
class Histograms {
 public:
  explicit Histograms(const char* word) {
    if (const char* was = getenv(kName); was != nullptr) before_ = was, had_ = true;
    setenv(kName, word, 1);
  }
  ~Histograms() { had_ ? setenv(kName, before_.c_str(), 1) : unsetenv(kName); }
  Histograms(const Histograms&) = delete;
  Histograms& operator=(const Histograms&) = delete;

 private:
  static constexpr const char* kName = "EVS_METRICS_HISTOGRAMS";
  std::string before_;
  bool had_ = false;
};

template <class Round>
auto by_turns(const Plan& plan, Round&& round) {
  const auto run = [&](const char* word) {
    const Histograms now(word);
    return round(plan.milliseconds / kShorter);
  };
  return alternate(plan.rounds * kTurnsARound, [&] { return run("off"); }, [&] { return run("on"); });
}

}  // namespace

std::vector<Outcome> measure_metrics(const Plan& plan) {
  const auto itself = [](double figure) { return figure; };
  const auto ratio = [](double off, double on) { return on / off; };
  const auto rates = by_turns(plan, [](int milliseconds) { return evs_rate(milliseconds, kBytes, 1, 1); });
  const auto trips = by_turns(plan, [](int milliseconds) { return evs_round_trip(milliseconds).p50; });
  const auto rate = compare(rates, itself, ratio), trip = compare(trips, itself, ratio);
  const auto off = [](const auto& turns) { return median_over(turns, [](const auto& turn) { return turn.before; }); };
  const auto on = [](const auto& turns) { return median_over(turns, [](const auto& turn) { return turn.ours; }); };
  return {{TargetId::metrics_rate, rate.values, {{"with histograms", on(rates) / 1e6, "M/s"}, {"without", off(rates) / 1e6, "M/s"}}, rate.unsteady, ""},
          {TargetId::metrics_p50, trip.values, {{"with histograms", on(trips), "ns"}, {"without", off(trips), "ns"}}, trip.unsteady, ""}};
}

}  // namespace evs::bench
