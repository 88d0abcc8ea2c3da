// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_parameters.cc - see plugin_parameters.h.
#include "bus/runtime/plugin_parameters.h"

#include <algorithm>
#include <string>

namespace evs::runtime {
namespace {

constexpr std::string_view kLocal = "local.";
constexpr std::string_view kMetrics = "metrics.";

}  // namespace

ParameterList::ParameterList(const Config& config, const LoadedPlugin& plugin, const std::map<std::string, std::string>& instead) {
  for (const Setting& setting : config.settings()) {
    const std::string_view key = setting.key;
    if (key.substr(0, kLocal.size()) == kLocal && key != "local.transport") add(key.substr(kLocal.size()), setting.value);
    if (key.substr(0, kMetrics.size()) != kMetrics) continue;
    const std::string as_declared = "metrics_" + std::string(key.substr(kMetrics.size()));
    for (const evs_parameter_info& info : plugin.parameters())
      if (as_declared == info.key) add(as_declared, setting.value);
  }
  for (const auto& [key, value] : config.plugin_parameters(plugin.name())) add(key, value);
  for (auto& [key, value] : pairs_)
    if (const auto other = instead.find(key); other != instead.end()) value = other->second;
}

ParameterList ParameterList::of_service(const Config& config, const LoadedPlugin& plugin) {
  ParameterList list;
  const std::vector<evs_parameter_info> declared = plugin.parameters();
  for (const Setting& setting : config.settings()) {
    std::string key(setting.key);
    std::replace(key.begin(), key.end(), '.', '_');
    if (std::any_of(declared.begin(), declared.end(), [&](const evs_parameter_info& info) { return key == info.key; })) list.add(key, setting.value);
  }
  for (const auto& [key, value] : config.plugin_parameters(plugin.name())) list.add(key, value);
  return list;
}

ParameterList ParameterList::of_section(const Config& config, const LoadedPlugin& plugin) {
  ParameterList list;
  for (const auto& [key, value] : config.plugin_parameters(plugin.name())) list.add(key, value);
  return list;
}

std::vector<evs_plugin_parameter> ParameterList::view() const {
  std::vector<evs_plugin_parameter> list;
  for (const auto& [key, value] : pairs_) list.push_back({key.c_str(), value.c_str()});
  return list;
}

}  // namespace evs::runtime
