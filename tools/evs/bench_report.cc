// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench_report.cc - see bench_report.h.
#include "tools/evs/bench_report.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "tools/evs/json.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

template <class... Args>
std::string line(const char* pattern, Args... args) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}

void put_percentiles(Json& out, const Histogram& histogram) {
  out["round_trips"] = histogram.total();
  out["p50_ns"] = histogram.at_per_mille(500);
  out["p90_ns"] = histogram.at_per_mille(900);
  out["p99_ns"] = histogram.at_per_mille(990);
  out["p99_9_ns"] = histogram.at_per_mille(999);
  out["max_ns"] = histogram.max();
  out["mean_ns"] = histogram.mean();
}

struct Rates {
  double mean = 0, slowest = 0;
};

// Messages a second at a receiver: their mean, and the slowest of them.
Rates rates_of(const ThroughputResult& result) {
  if (result.received.empty() || result.seconds <= 0) return {};
  const double sum = static_cast<double>(std::accumulate(result.received.begin(), result.received.end(), uint64_t{0}));
  const double least = static_cast<double>(*std::min_element(result.received.begin(), result.received.end()));
  return {sum / static_cast<double>(result.received.size()) / result.seconds, least / result.seconds};
}

}  // namespace

std::string probe_text(const Histogram& h) {
  return "probe: a cache line bounced between two processes: p50 " + show_duration(h.at_per_mille(500)) + ", p99 " +
         show_duration(h.at_per_mille(990)) + "\n";
}

std::string probe_json(const Histogram& h) {
  Json out{{"measurement", "probe"}, {"what", "bounced cache line"}};
  put_percentiles(out, h);
  return json_line(out);
}

std::string latency_header() {
  return line("%10s  %6s  %12s  %10s  %10s  %10s  %10s  %10s\n", "size", "wait", "round trips", "p50", "p90", "p99",
              "p99.9", "max");
}

std::string latency_text(const LatencyResult& r) {
  const Histogram& h = r.round_trip_ns;
  return line("%10s  %6s  %12s  %10s  %10s  %10s  %10s  %10s\n", show_bytes(r.size).c_str(), r.wait.c_str(),
              show_count(static_cast<double>(h.total())).c_str(), show_duration(h.at_per_mille(500)).c_str(),
              show_duration(h.at_per_mille(900)).c_str(), show_duration(h.at_per_mille(990)).c_str(),
              show_duration(h.at_per_mille(999)).c_str(), show_duration(h.max()).c_str());
}

std::string latency_json(const LatencyResult& r) {
  Json out{{"measurement", "latency"}, {"size", r.size}, {"wait", r.wait}, {"guarantee", r.guarantee}};
  put_percentiles(out, r.round_trip_ns);
  return json_line(out);
}

std::string throughput_header() {
  return line("%10s  %9s  %6s  %14s  %14s  %14s  %10s\n", "size", "processes", "wait", "messages/s", "bytes/s",
              "slowest/s", "waits");
}

std::string throughput_text(const ThroughputResult& r) {
  const Rates rates = rates_of(r);
  const std::string processes = std::to_string(r.senders) + "->" + std::to_string(r.receivers);
  return line("%10s  %9s  %6s  %14s  %14s  %14s  %10s\n", show_bytes(r.size).c_str(), processes.c_str(), r.wait.c_str(),
              show_count(rates.mean).c_str(),
              show_bytes(static_cast<uint64_t>(rates.mean * static_cast<double>(r.size))).c_str(),
              show_count(rates.slowest).c_str(), show_count(static_cast<double>(r.refused)).c_str());
}

std::string throughput_json(const ThroughputResult& r) {
  const Rates rates = rates_of(r);
  return json_line({{"measurement", "throughput"},
                    {"size", r.size},
                    {"senders", r.senders},
                    {"receivers", r.receivers},
                    {"wait", r.wait},
                    {"guarantee", r.guarantee},
                    {"seconds", r.seconds},
                    {"sent", r.sent},
                    {"received", r.received},
                    {"refused", r.refused},
                    {"messages_per_second", rates.mean},
                    {"bytes_per_second", rates.mean * static_cast<double>(r.size)},
                    {"slowest_messages_per_second", rates.slowest}});
}

}  // namespace evs::tools
