// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/plugins_command.h - `evs plugins`: what the library would load, and what it would refuse and why.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_plugins(const PluginsOptions& options);

}  // namespace evs::tools
