// SPDX-License-Identifier: BSD-3-Clause
// metrics/prometheus_host.cc - see prometheus_host.h.
#include "metrics/prometheus_host.h"

#include "shm/clock.h"

namespace evs::metrics {

void PrometheusHost::also(const std::string& directory, const std::string& bus) {
  const std::lock_guard lock(mutex_);
  reader_.also(directory, bus);
}

std::vector<Sample> PrometheusHost::look() const {
  const std::lock_guard lock(mutex_);
  const uint64_t began_ns = shm::monotonic_ns();
  const HostReading reading = reader_.read();
  const uint64_t took_ns = shm::monotonic_ns() - began_ns;
  tell(reading.troubles);
  return metrics_.take(reading, took_ns);
}

void PrometheusHost::tell(const std::vector<Trouble>& troubles) const {
  std::set<std::string> now;
  for (const Trouble& trouble : troubles)
    if (now.insert(trouble.sentence).second && told_.count(trouble.sentence) == 0) say_(trouble.sentence);
  told_ = std::move(now);
}

}  // namespace evs::metrics
