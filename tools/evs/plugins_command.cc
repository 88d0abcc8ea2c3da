// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/plugins_command.cc - asks the library's own plugin host (docs/decisions/tools-list-plugins.md): the search,
// the judgement and the words of a refusal are those that a host application meets.
#include "tools/evs/plugins_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/json.h"
#include "tools/evs/output.h"
#include "tools/evs/plugins_text.h"

namespace evs::tools {

namespace {

void print_log(int32_t level, std::string_view text) {
  if (level >= EVS_HOST_LOG_WARNING) std::fprintf(stderr, "evs plugins: %s\n", printable(text).c_str());
}

// Found nowhere: exit status 1, as a refused plugin's.
bool all_found(const std::vector<runtime::PluginFile>& all, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    if (!choose_plugins(all, {name}).empty()) return true;
    std::fprintf(stderr, "evs plugins: no plugin '%s' on the plugin path (EVS_PLUGIN_PATH, plugins.path, %s)\n",
                 printable(name).c_str(), EVS_PLUGIN_INSTALL_DIR);
    return false;
  });
}

}  // namespace

int run_plugins(const PluginsOptions& options) {
  const auto config = load_config(options.bus);
  if (!config.ok()) {
    std::fprintf(stderr, "evs plugins: %s\n", config.error().c_str());
    return kExitUsage;
  }
  const runtime::PluginSearch search{config->text("plugins.path"), EVS_PLUGIN_INSTALL_DIR};
  const auto all = runtime::PluginHost::list_plugins(search, print_log);
  if (!all_found(all, options.names)) return kExitFailure;
  const auto chosen = choose_plugins(all, options.names);
  const std::string text = options.json
                               ? json_line(plugins_json(chosen))
                               : plugins_text(chosen, options.parameters, Palette::for_descriptor(STDOUT_FILENO));
  if (const int printed = print(text); printed != kExitOk) return printed;
  if (all.empty())
    std::fprintf(stderr, "evs plugins: none found (EVS_PLUGIN_PATH, plugins.path, %s)\n", EVS_PLUGIN_INSTALL_DIR);
  const bool refused =
      std::any_of(chosen.begin(), chosen.end(), [](const auto& file) { return !file.problem.empty(); });
  return refused || all.empty() ? kExitFailure : kExitOk;
}

}  // namespace evs::tools
