// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config.cc - layers, applied from the bottom.
#include "bus/runtime/config.h"

#include <algorithm>

#include "bus/runtime/config_layers.h"
#include "bus/runtime/config_units.h"

namespace evs::runtime {
namespace {

constexpr std::string_view kWhereKeysStand = "; all keys: evs.toml(5) or `evs config`";

std::string unknown_key(const Assignment& assignment) {
  const std::string key = printable(assignment.key);
  if (is_section(assignment.key))
    return assignment.origin + ": " + key + " is a section: its keys stand below a line [" + key + "]" +
           std::string(kWhereKeysStand);
  return assignment.origin + ": unknown key " + key + "; did you mean " + std::string(nearest_key(assignment.key)) +
         "?" + std::string(kWhereKeysStand.substr(1));
}

bool is_empty_table(const Written& written) {
  return written.kind == Written::Kind::other && written.text == "an empty table";
}

}  // namespace

Result<Config> Config::defaults() {
  Config config;
  config.values_.reserve(kKeyCount);
  for (const KeySpec& key : kKeys) {
    Result<Value> value = check_value(key, {Written::Kind::text, std::string(key.initial)});
    if (!value) return Failure{"default: " + std::string(key.name) + ": " + value.error()};
    config.values_.push_back({std::move(*value), "default"});
  }
  return config;
}

std::string Config::apply_plugin_parameter(const Assignment& assignment) {
  const std::string key = printable(assignment.key);
  const std::string_view rest = std::string_view(assignment.key).substr(kPluginPrefix.size());
  const size_t dot = rest.find('.');
  const std::string_view name = rest.substr(0, dot);
  if (!is_plugin_name(name))
    return assignment.origin + ": " + key + ": a plugin's name is 1 to 32 of the characters a-z 0-9 -";
  if (is_empty_table(assignment.written)) return "";  // [plugin.udp] with all keys commented out
  if (dot == std::string_view::npos || dot + 1 == rest.size())
    return assignment.origin + ": " + key + ": a plugin's parameter is plugin.NAME.KEY";
  if (assignment.written.kind == Written::Kind::other)
    return assignment.origin + ": " + key + " = " + show(assignment.written) +
           ": a plugin's parameter is a text, number, boolean or list of them";
  plugin_.insert_or_assign(assignment.key, Parameter{assignment.written.text, assignment.origin});
  return "";
}

std::string Config::apply(const Assignment& assignment) {
  if (assignment.key.starts_with(kPluginPrefix)) return apply_plugin_parameter(assignment);
  const size_t index = key_index(assignment.key);
  if (index == kNoKey) {
    const bool known = is_section(assignment.key) || assignment.key == "plugin";
    if (known && is_empty_table(assignment.written)) return "";
    return unknown_key(assignment);
  }
  Result<Value> value = check_value(kKeys[index], assignment.written);
  if (!value)
    return assignment.origin + ": " + assignment.key + " = " + show(assignment.written) + ": " + value.error();
  values_[index] = {std::move(*value), assignment.origin};
  return "";
}

std::string Config::apply_all(const Result<std::vector<Assignment>>& layer) {
  if (!layer) return layer.error();
  for (const Assignment& assignment : *layer) {
    std::string refusal = apply(assignment);
    if (!refusal.empty()) return refusal;
  }
  return "";
}

Result<Config> Config::load_or_throw(const LoadRequest& request) {
  Result<Config> config = defaults();
  if (!config) return config;
  const ConfigPairs environment = request.environment ? *request.environment : process_environment();

  const Result<std::vector<ConfigFile>> files = read_config_files(request, environment);
  if (!files) return files.failure();
  for (const ConfigFile& file : *files) {
    std::string refusal = config->apply_all(parse_config_text(file.text, file.path));
    if (!refusal.empty()) return Failure{std::move(refusal)};
  }

  std::string refusal = config->apply_all(environment_assignments(environment));
  if (!refusal.empty()) return Failure{std::move(refusal)};

  std::vector<Assignment> parameters;
  for (const auto& [key, value] : request.parameters)
    parameters.push_back({key, {Written::Kind::text, value}, "parameter"});
  refusal = config->apply_all(std::move(parameters));
  if (!refusal.empty()) return Failure{std::move(refusal)};

  return config;
}

Result<Config> Config::load(const LoadRequest& request) noexcept {
  try {
    return load_or_throw(request);
  } catch (...) {
    return Failure{"out of memory", Cause::no_memory};  // short enough to need none
  }
}

Result<Config> Config::from_text(std::string_view text, std::string_view file) noexcept {
  try {
    Result<Config> config = defaults();
    if (!config) return config;
    std::string refusal = config->apply_all(parse_config_text(text, file));
    if (!refusal.empty()) return Failure{std::move(refusal)};
    return config;
  } catch (...) {
    return Failure{"out of memory", Cause::no_memory};
  }
}

std::string_view Config::origin(std::string_view key) const noexcept {
  const size_t index = key_index(key);
  return index == kNoKey ? std::string_view() : std::string_view(values_[index].origin);
}

std::vector<Setting> Config::settings() const {
  std::vector<Setting> all;
  all.reserve(kKeyCount + plugin_.size());
  for (size_t i = 0; i < kKeyCount; ++i)
    all.push_back({std::string(kKeys[i].name), values_[i].value.text, values_[i].origin});
  for (const auto& [key, parameter] : plugin_) all.push_back({key, parameter.value, parameter.origin});
  return all;
}

ConfigPairs Config::plugin_parameters(std::string_view name) const {
  const std::string prefix = std::string(kPluginPrefix) + std::string(name) + ".";
  ConfigPairs found;
  for (auto it = plugin_.lower_bound(prefix); it != plugin_.end() && it->first.starts_with(prefix); ++it)
    found.emplace_back(it->first.substr(prefix.size()), it->second.value);
  return found;
}

}  // namespace evs::runtime
