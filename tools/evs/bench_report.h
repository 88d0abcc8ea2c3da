// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench_report.h - a measurement as a line of text or of JSON. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/evs/histogram.h"

namespace evs::tools {

struct LatencyResult {
  uint64_t size = 0;
  std::string wait, guarantee;
  Histogram round_trip_ns;
};

struct ThroughputResult {
  uint64_t size = 0;
  uint32_t senders = 0, receivers = 0;
  std::string wait, guarantee;
  double seconds = 0;
  uint64_t sent = 0, refused = 0;  // in that time, all senders
  std::vector<uint64_t> received;  // in that time, a receiver each
};

std::string probe_text(const Histogram& round_trip_ns);
std::string probe_json(const Histogram& round_trip_ns);
std::string latency_header();
std::string latency_text(const LatencyResult& result);
std::string latency_json(const LatencyResult& result);
std::string throughput_header();
std::string throughput_text(const ThroughputResult& result);
std::string throughput_json(const ThroughputResult& result);

}  // namespace evs::tools
