// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/config_command.h - `evs config`: what a process started here and now would be told about its bus, and by
// whom.
//
// It loads the configuration with the library's own loader (docs/decisions/tools-read-configuration.md): what this
// prints is what evs_initialize() would use, and what this refuses it would refuse with the same words.
#pragma once

#include <string>

#include "bus/runtime/config.h"
#include "tools/evs/options.h"
#include "tools/evs/text.h"
#include "tools/evs/json_fwd.h"

namespace evs::tools {

// The configuration that this command line asks for; --bus is bus.name, --set the parameters.
runtime::Result<runtime::Config> load_config(const BusChoice& choice);

// What the transport of the local side is told under this name: [plugin.NAME] covers [local].
std::string transport_value(const runtime::Config& config, std::string_view key);

std::string config_text(const std::vector<runtime::Setting>& settings, const Palette& paint);
Json config_json(const std::vector<runtime::Setting>& settings);

int run_config(const ConfigOptions& options);

}  // namespace evs::tools
