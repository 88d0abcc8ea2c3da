// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/rows.h - the rows of the comparison, and how each is measured.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/cpg/sides.h"

namespace evs::bench {

struct Plan {
  int ms = 2000;
  size_t alternations = 1;
  bool corosync = true;
};

// One value an alternation.
using Values = std::vector<double>;
double median(Values values);  // 0 of none

// Messages a second at each receiver, the least of the hosts'. An alternation is CPG without and with real-time priority, evs AGREED and SAFE, CPG again; a value of CPG is the mean
// of its two.
struct RateRow {
  Traffic traffic;
  Values cpg_normal, cpg_realtime, agreed, safe;
  Values by_cpg;  // AGREED by the better of the two
};
RateRow measure_rate(Sides& sides, const Traffic& traffic, const Plan& plan);

// 64 B, one in flight, from the send on one host to the delivery on another; medians and 99th percentiles of an alternation, microseconds.
struct LatencyRow {
  std::string who;
  bool is_evs;
  int gap_us;
  Values p50, p99;
};
std::vector<LatencyRow> measure_latency(Sides& sides, bool sealed, const Plan& plan);

}  // namespace evs::bench
