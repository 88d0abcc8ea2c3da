// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/plugins_text.h - what lies on the plugin path, for people and programs. Pure but for asking a plugin for
// its parameters, which it answers from a table.
#pragma once

#include <string>
#include <vector>

#include "bus/runtime/plugin_host.h"
#include "tools/evs/json_fwd.h"
#include "tools/evs/text.h"

namespace evs::tools {

// Only the plugins named; all when none is. A refused file is known by its file name alone.
std::vector<runtime::PluginFile> choose_plugins(const std::vector<runtime::PluginFile>& all,
                                                const std::vector<std::string>& names);

std::string plugins_text(const std::vector<runtime::PluginFile>& files, bool parameters, const Palette& paint);
Json plugins_json(const std::vector<runtime::PluginFile>& files);

}  // namespace evs::tools
