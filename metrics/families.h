// SPDX-License-Identifier: BSD-3-Clause
// metrics/families.h - samples as prometheus-cpp takes them, with the words of the table.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "metrics/host_metrics.h"

namespace evs::metrics {

// `samples`: each metric's together, as HostMetrics gives them.
std::vector<prometheus::MetricFamily> families_of(const std::vector<Sample>& samples);
std::string exposition_of(const std::vector<Sample>& samples);

}  // namespace evs::metrics
