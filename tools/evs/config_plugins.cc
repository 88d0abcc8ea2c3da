// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/config_plugins.cc - see config_plugins.h.
#include "tools/evs/config_plugins.h"

#include <algorithm>

#include "bus/runtime/config_keys.h"
#include "bus/runtime/plugin_instance.h"
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
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
  return text.empty() ? "none" : text;
}

std::vector<std::string> names_of(const std::vector<runtime::PluginFile>& files) {
  std::vector<std::string> names;
  for (const runtime::PluginFile& file : files)
    for (const LoadedPlugin& plugin : file.plugins)
      if (!file.hidden) names.push_back(plugin.name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// As the library would find it: by name or path, and refused for the same reasons.
void judge_transport(const runtime::Config& config, const runtime::PluginSearch& search, PluginFindings& found) {
  const std::string& wanted = config.text("local.transport");
  const std::string where = printable(std::string(config.origin("local.transport"))) + ": local.transport: ";
  auto plugin = runtime::PluginHost::load_transport(wanted, search, [](int32_t, std::string_view) {});
  if (!plugin) {
    const bool elsewhere = plugin.failure().code == CS_ERR_NOT_EXIST && wanted.find('/') == std::string::npos;
    if (elsewhere) found.notes.push_back(where + "not judged: " + printable(plugin.failure().text));
    else found.errors.push_back(where + printable(plugin.failure().text));
    return;
  }
  if (plugin->descriptor->transport->medium != EVS_MEDIUM_ORDERED) {
    found.errors.push_back(where + "'" + printable(wanted) + "' carries datagrams; the local ring needs an ordered medium");
    return;
  }
  std::string answer;
  const auto failure = runtime::asked(*plugin, "check", [&] { answer = plugin->judge(runtime::ParameterList(config, *plugin).view()); });
  if (failure) answer = failure->text;
  if (!answer.empty()) found.errors.push_back("the transport '" + printable(plugin->name()) + "' refuses: " + printable(answer));
}

}  // namespace

PluginFindings judge_plugin_settings(const runtime::Config& config, const runtime::PluginSearch& search) {
  const auto files = runtime::PluginHost::list_plugins(search, [](int32_t, std::string_view) {});
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
    std::vector<std::string> takes;
    for (const evs_parameter_info& parameter : plugin->parameters())  // listing it has asked it before
      if (parameter.key != nullptr) takes.push_back(parameter.key);
    if (takes.empty()) continue;  // it does not tell
    if (std::find(takes.begin(), takes.end(), key) == takes.end())
      found.errors.push_back(where + "the plugin '" + printable(name) + "' has no such parameter; it takes " + joined(takes));
  }
  if (found.errors.empty()) judge_transport(config, search, found);
  return found;
}

}  // namespace evs::tools
