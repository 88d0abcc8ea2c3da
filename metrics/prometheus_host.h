// SPDX-License-Identifier: BSD-3-Clause
// metrics/prometheus_host.h - the buses of a host as prometheus-cpp collects them: for `evs exporter`, and for a process that serves its own.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "metrics/families.h"

namespace evs::metrics {

// Any thread; one at a time reads.
class PrometheusHost : public prometheus::Collectable {
 public:
  // `say` is told what cannot be read, once until it is mended.
  using Say = std::function<void(const std::string& sentence)>;
  PrometheusHost(Places places, std::string version, Say say) : reader_(std::move(places)), metrics_(std::move(version)), say_(std::move(say)) {}

  void also(const std::string& directory, const std::string& bus);
  std::vector<Sample> look() const;
  std::vector<prometheus::MetricFamily> Collect() const override { return families_of(look()); }

 private:
  void tell(const std::vector<Trouble>& troubles) const;

  mutable std::mutex mutex_;  // all of it
  mutable HostReader reader_;
  mutable HostMetrics metrics_;
  mutable std::set<std::string> told_;
  const Say say_;
};

}  // namespace evs::metrics
