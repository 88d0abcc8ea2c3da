// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/rows.cc - see rows.h.
#include "tests/bench/cpg/rows.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>

namespace evs::bench {

using test::LoadCrew;

namespace {

constexpr int kAgreed = 2, kSafe = 3;
constexpr int kGapUs = 50'000;
constexpr size_t kGuest = Sides::kHosts;  // the member that Sides::evs adds

double rate(LoadCrew& crew, int ms) {
  double least = 0;
  bool first = true;
  for (const std::string& answer : crew.go(ms)) {
    double one = 0;
    if (sscanf(answer.c_str(), "rate=%lf", &one) != 1) throw std::runtime_error("a host under load gave " + answer);
    least = first ? one : std::min(least, one);
    first = false;
  }
  return least;
}

struct Way {
  std::string who;
  bool is_evs;
  size_t sender;
  std::function<std::unique_ptr<LoadCrew>()> make;
};

std::vector<Way> ways_of(Sides& sides, bool sealed, bool corosync) {
  const Traffic traffic{64, 0, sealed};
  std::vector<Way> ways;
  if (corosync)
    for (const char* transport : {"udp", "knet"})
      for (const bool realtime : {false, true}) {
        const CorosyncMode mode{transport, realtime};
        if (sealed && mode.transport == "udp") continue;
        ways.push_back({"CPG " + mode.transport + (realtime ? ", sched_rr yes" : ", sched_rr no"), false, 0, [&sides, traffic, mode] { return sides.cpg(traffic, mode); }});
      }
  for (const int guarantee : {kAgreed, kSafe})
    for (const bool guest : {false, true})
      ways.push_back({std::string("evs ") + (guarantee == kAgreed ? "AGREED" : "SAFE") + (guest ? ", by a guest of the gateway" : ", by the gateway"), true, guest ? kGuest : 0,
                      [&sides, traffic, guarantee, guest] { return sides.evs(traffic, guarantee, guest); }});
  return ways;
}

}  // namespace

double median(Values values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

RateRow measure_rate(Sides& sides, const Traffic& traffic, const Plan& plan) {
  RateRow row{traffic, {}, {}, {}, {}, {}};
  for (size_t i = 0; i < plan.alternations; ++i) {
    double cpg[2] = {0, 0};
    const auto cpg_both = [&] {
      if (!plan.corosync) return;
      for (const bool realtime : {false, true}) cpg[realtime] += rate(*sides.cpg(traffic, {"knet", realtime}), plan.ms) / 2;
    };
    cpg_both();
    row.agreed.push_back(rate(*sides.evs(traffic, kAgreed), plan.ms));
    row.safe.push_back(rate(*sides.evs(traffic, kSafe), plan.ms));
    cpg_both();
    if (!plan.corosync) continue;
    row.cpg_normal.push_back(cpg[0]);
    row.cpg_realtime.push_back(cpg[1]);
    row.by_cpg.push_back(row.agreed.back() / std::max(cpg[0], cpg[1]));
  }
  return row;
}

std::vector<LatencyRow> measure_latency(Sides& sides, bool sealed, const Plan& plan) {
  const std::vector<Way> ways = ways_of(sides, sealed, plan.corosync);
  std::vector<LatencyRow> rows;
  for (const int gap_us : {0, kGapUs})
    for (const Way& way : ways) rows.push_back({way.who, way.is_evs, gap_us, {}, {}});
  for (size_t i = 0; i < plan.alternations; ++i)
    for (size_t w = 0; w < ways.size(); ++w) {
      const auto crew = ways[w].make();
      for (const size_t gap : {size_t{0}, size_t{1}}) {
        LatencyRow& row = rows[gap * ways.size() + w];
        const LoadCrew::Latency latency = crew->one_way(ways[w].sender, Sides::kHosts - 1, gap == 0 ? plan.ms : 2 * plan.ms, row.gap_us);
        if (latency.count == 0) throw std::runtime_error(row.who + ": nothing was heard");
        row.p50.push_back(latency.p50_us);
        row.p99.push_back(latency.p99_us);
      }
    }
  return rows;
}

}  // namespace evs::bench
