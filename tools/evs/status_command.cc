// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_command.cc - see status_command.h.
#include "tools/evs/status_command.h"

#include <unistd.h>

#include <cstdio>

#include "metrics/collector.h"
#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/json.h"
#include "tools/evs/output.h"
#include "tools/evs/status_text.h"

namespace evs::tools {

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
  const std::string text = options.json
                               ? json_line(status_json(snapshot))
                               : status_text(snapshot, {options.handles}, Palette::for_descriptor(STDOUT_FILENO));
  return print(text);
}

}  // namespace evs::tools
