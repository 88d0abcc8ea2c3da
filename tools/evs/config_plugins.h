// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/config_plugins.h - judges the plugin.NAME.* keys of a configuration by what the plugins say that they take.
//
// The library hands these keys to the plugin, which refuses what it does not know or cannot do; `evs config --check` shall say so before. The
// transport of the local side is also asked what it thinks of the whole.
#pragma once

#include <string>
#include <vector>

#include "bus/runtime/config.h"
#include "bus/runtime/plugin_host.h"

namespace evs::tools {

struct PluginFindings {
  std::vector<std::string> errors;  // the plugin would refuse it
  std::vector<std::string> notes;   // nobody here can tell: the application may bring the plugin
};

PluginFindings judge_plugin_settings(const runtime::Config& config, const runtime::PluginSearch& search);

}  // namespace evs::tools
