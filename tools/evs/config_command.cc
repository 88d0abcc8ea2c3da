// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/config_command.cc - see config_command.h.
#include "tools/evs/config_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "bus/runtime/plugin_host_search.h"
#include "tools/evs/config_plugins.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/json.h"
#include "tools/evs/output.h"

namespace evs::tools {

using runtime::Setting;

runtime::Result<runtime::Config> load_config(const BusChoice& choice) {
  runtime::LoadRequest request;
  request.file = choice.config_file;
  for (const std::string& setting : choice.settings) {
    const size_t equals = setting.find('=');
    request.parameters.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (!choice.bus.empty()) request.parameters.emplace_back("bus.name", choice.bus);
  return runtime::Config::load(request);
}

std::string transport_value(const runtime::Config& config, std::string_view key) {
  const std::string& named = config.text("local.transport");
  const std::string transport(named.find('/') == std::string::npos ? std::string_view(named)
                                                                    : runtime::name_in_file_name(named, EVS_KIND_TRANSPORT));
  for (const auto& [name, value] : config.plugin_parameters(transport))
    if (name == key) return value;
  for (const Setting& setting : config.settings())
    if (setting.key == "local." + std::string(key)) return setting.value;
  return {};
}

std::string config_text(const std::vector<Setting>& settings, const Palette& paint) {
  Table table({{"KEY"}, {"VALUE"}, {"FROM"}});
  for (const Setting& setting : settings)
    table.row({setting.key, setting.value.empty() ? "\"\"" : printable(setting.value), printable(setting.origin)},
              setting.origin == "default" ? Paint::plain : Paint::bold);
  return table.render(paint);
}

Json config_json(const std::vector<Setting>& settings) {
  Json out = Json::object();
  for (const Setting& setting : settings) out[setting.key] = {{"value", setting.value}, {"origin", setting.origin}};
  return out;
}

namespace {

// What the configuration says to plugins, asked of those on the path.
int check_plugins(const runtime::Config& config) {
  const runtime::PluginSearch search{config.text("plugins.path"), EVS_PLUGIN_INSTALL_DIR};
  const PluginFindings found = judge_plugin_settings(config, search);
  for (const std::string& note : found.notes) std::fprintf(stderr, "evs config: %s\n", note.c_str());
  for (const std::string& error : found.errors) std::fprintf(stderr, "evs config: %s\n", error.c_str());
  return found.errors.empty() ? kExitOk : kExitUsage;
}

}  // namespace

int run_config(const ConfigOptions& options) {
  const auto config = load_config(options.bus);
  if (!config.ok()) {
    std::fprintf(stderr, "evs config: %s\n", config.error().c_str());
    return kExitUsage;
  }
  if (options.check) return check_plugins(*config);
  std::vector<Setting> settings = config->settings();
  for (const std::string& key : options.keys) {
    const bool known = std::any_of(settings.begin(), settings.end(), [&](const Setting& s) { return s.key == key; });
    if (known) continue;
    std::fprintf(stderr, "evs config: no key '%s'; did you mean %s?\n", printable(key).c_str(),
                 std::string(runtime::nearest_key(key)).c_str());
    return kExitUsage;
  }
  if (!options.keys.empty())
    settings.erase(std::remove_if(settings.begin(), settings.end(),
                                  [&](const Setting& s) {
                                    return std::find(options.keys.begin(), options.keys.end(), s.key) ==
                                           options.keys.end();
                                  }),
                   settings.end());
  const std::string text =
      options.json ? json_line(config_json(settings)) : config_text(settings, Palette::for_descriptor(STDOUT_FILENO));
  return print(text);
}

}  // namespace evs::tools
