// SPDX-License-Identifier: BSD-3-Clause
// metrics/host_metrics.h - from what was read of a host (host_reader.h) to the values of the table's metrics (table.h).
//
// It opens nothing and asks no clock: the same readings one after the other, the same values. What it remembers is why totals do not fall: what the dead had
// counted, and the buses that were there once (kMostBuses of them).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/host_reader.h"
#include "metrics/table.h"
#include "metrics/totals.h"

namespace evs::metrics {

struct Sample {
  Metric metric = Metric::count_;
  std::vector<std::string> labels;  // values, in the order of the metric's row
  double value = 0;
  // Of a histogram, whose sum in seconds the value is: how many were shorter than each bucket's end, and how many there were.
  std::vector<uint64_t> buckets;
};

class HostMetrics {
 public:
  explicit HostMetrics(std::string version) : version_(std::move(version)) {}

  // All samples, each metric's together. `took_ns`: how long the reading took.
  std::vector<Sample> take(const HostReading& reading, uint64_t took_ns);

 private:
  using Where = std::vector<std::string>;  // bus, directory

  void add_host(const HostReading& reading, uint64_t took_ns);
  void add_bus(const BusReading& bus, const Where& where);
  void add_ring(const RingReading& ring, const Where& where, std::string_view name);
  void add_processes(const RingReading& ring, const Where& where);
  void add_uplink(const Uplink& uplink, const Where& where);
  void add_told_counts(const Uplink& uplink, const Where& where);
  void add_told(const Uplink& uplink, const char* name, Metric metric, const Where& where, double per_unit = 1);
  void tell(Metric metric, const Where& labels);
  bool remembers(const Where& where);

  void gauge(Metric metric, Where labels, double value) { samples_.push_back({metric, std::move(labels), value, {}}); }
  void total(Metric metric, Where labels, const std::string& life, uint64_t value);
  void follow_durations(Metric metric, Where labels, const Counted& file, shm::Histogram histogram);
  void add_durations(const RingReading& ring, const Where& labels, Metric metric, shm::Histogram histogram, bool by_guarantee);
  void add_counts_of_bus(const RingReading& ring, const Where& where);

  const std::string version_;
  Totals totals_;
  std::set<Where> known_, seen_;
  std::set<std::pair<Metric, Where>> counted_;  // series of totals_
  uint64_t failures_ = 0;
  std::vector<Sample> samples_;  // being made
};

}  // namespace evs::metrics
