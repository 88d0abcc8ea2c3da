// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_command.cc - see status_command.h.
#include "tools/evs/status_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "metrics/collector.h"
#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/json.h"
#include "tools/evs/output.h"
#include "tools/evs/status_counters.h"
#include "tools/evs/status_text.h"

namespace evs::tools {

namespace {

// As an exporter would tell it, of this bus.
std::vector<metrics::Sample> counted_of(const metrics::Snapshot& snapshot) {
  metrics::HostReader reader(metrics::Places{{snapshot.directory}, {}, {snapshot.bus}, true});
  std::vector<metrics::Sample> samples = metrics::HostMetrics("").take(reader.read(), 0);
  const auto is_other = [](const metrics::Sample& sample) { return !metrics::text_of(sample.metric).labels.starts_with("bus"); };
  samples.erase(std::remove_if(samples.begin(), samples.end(), is_other), samples.end());
  return samples;
}

}  // namespace

int run_status(const StatusOptions& options) {
  const auto config = load_config(options.bus);
  if (!config.ok()) {
    std::fprintf(stderr, "evs status: %s\n", config.error().c_str());
    return kExitUsage;
  }
  metrics::Snapshot snapshot;
  std::string failure;
  const auto collected = metrics::collect(transport_value(*config, "directory"), transport_value(*config, "group"),
                                          config->text("bus.name"), snapshot, failure);
  if (collected != metrics::Collected::taken) {
    std::fprintf(stderr, "evs status: %s\n", failure.c_str());
    return collected == metrics::Collected::no_bus ? kExitNoBus : kExitFailure;
  }
  std::vector<metrics::Sample> counted;
  if (options.counters) counted = counted_of(snapshot);
  if (options.json) {
    Json json = status_json(snapshot);
    if (options.counters) json["counters"] = counters_json(counted);
    return print(json_line(json));
  }
  const Palette paint = Palette::for_descriptor(STDOUT_FILENO);
  return print(status_text(snapshot, {options.handles}, paint) + (options.counters ? counters_text(counted, paint) : std::string()));
}

}  // namespace evs::tools
