// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/config_plugins.cc - see config_plugins.h.
#include "tools/evs/config_plugins.h"

#include <algorithm>

#include "bus/runtime/config_keys.h"
#include "bus/runtime/plugin_parameters.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

using runtime::LoadedPlugin;

const LoadedPlugin* find_plugin(const std::vector<runtime::PluginFile>& files, const std::string& name) {
  for (const runtime::PluginFile& file : files)
    for (const LoadedPlugin& plugin : file.plugins)
      if (!file.hidden && plugin.name() == name) return &plugin;
  return nullptr;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> names_of(const std::vector<runtime::PluginFile>& files) {
  std::vector<std::string> names;
  for (const runtime::PluginFile& file : files)
    for (const LoadedPlugin& plugin : file.plugins) names.push_back(plugin.name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

PluginFindings judge_plugin_settings(const runtime::Config& config, const std::vector<runtime::PluginFile>& files) {
  PluginFindings found;
  std::vector<std::string> unknown;
  for (const runtime::Setting& setting : config.settings()) {
    if (setting.key.rfind(runtime::kPluginPrefix, 0) != 0) continue;
    const std::string rest = setting.key.substr(runtime::kPluginPrefix.size());
    const size_t dot = rest.find('.');
    if (dot == std::string::npos) continue;
    const std::string name = rest.substr(0, dot), key = rest.substr(dot + 1);
    const LoadedPlugin* plugin = find_plugin(files, name);
    const std::string where = printable(setting.origin) + ": " + printable(setting.key) + ": ";
    if (plugin == nullptr) {
      if (std::find(unknown.begin(), unknown.end(), name) != unknown.end()) continue;
      unknown.push_back(name);
      found.notes.push_back(where + "not judged: no plugin '" + printable(name) + "' on the plugin path, which has " + joined(names_of(files)));
      continue;
    }
    const std::vector<evs_parameter_info> parameters = plugin->parameters();
    if (parameters.empty()) continue;  // it does not tell
    std::vector<std::string> takes;
    for (const evs_parameter_info& parameter : parameters) takes.push_back(parameter.key);
    if (std::find(takes.begin(), takes.end(), key) == takes.end())
      found.errors.push_back(where + "the plugin '" + printable(name) + "' has no such parameter; it takes " + joined(takes));
  }
  if (!found.errors.empty()) return found;
  const std::string transport = config.text("local.transport");
  if (const LoadedPlugin* plugin = find_plugin(files, transport)) {
    const std::string answer = plugin->judge(runtime::ParameterList(config, *plugin).view());
    if (!answer.empty()) found.errors.push_back("the transport '" + transport + "' refuses: " + answer);
  }
  return found;
}

}  // namespace evs::tools
