// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_counters.h - what a bus has counted, in the words of evs-metrics(7), as people and programs read it. Pure, as status_text.h is.
#pragma once

#include <string>
#include <vector>

#include "metrics/host_metrics.h"
#include "tools/evs/json_fwd.h"
#include "tools/evs/text.h"

namespace evs::tools {

// Totals and histograms of `samples`, which are of one bus. What was never counted is left out for people, and there for programs.
std::string counters_text(const std::vector<metrics::Sample>& samples, const Palette& paint);
Json counters_json(const std::vector<metrics::Sample>& samples);

// The bound under which `share` of them were; empty: there were none, or it is beyond all bounds.
std::string quantile_text(const metrics::Sample& histogram, double share);

}  // namespace evs::tools
