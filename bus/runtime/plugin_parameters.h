// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_parameters.h - what a configuration says to a transport.
//
// The transport of the local side gets the [local] section but for its own name, then [plugin.NAME], which covers it. Keys of [metrics] go
// to a transport that declares them as metrics_KEY.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bus/runtime/config.h"
#include "bus/runtime/plugin_host.h"

namespace evs::runtime {

class ParameterList {
 public:
  // Of the local ring. `instead`: values in place of the configuration's.
  ParameterList(const Config& config, const LoadedPlugin& plugin, const std::map<std::string, std::string>& instead = {});
  // Of a service: the configuration's SECTION.KEY where it declares a SECTION_KEY, and what its own section says.
  static ParameterList of_service(const Config& config, const LoadedPlugin& plugin);
  // Of any other plugin: what its own section says.
  static ParameterList of_section(const Config& config, const LoadedPlugin& plugin);
  std::vector<evs_plugin_parameter> view() const;  // points into the list

 private:
  ParameterList() = default;
  void add(std::string_view key, std::string_view value) { pairs_.emplace_back(key, value); }
  ConfigPairs pairs_;
};

}  // namespace evs::runtime
