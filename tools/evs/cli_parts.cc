// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cli_parts.cc - see cli_parts.h.
#include "tools/evs/cli_parts.h"

#include "bus/runtime/config_units.h"
#include "evs/evs.h"

namespace evs::tools {

namespace {

std::string bad_setting(const std::string& text) {
  const size_t equals = text.find('=');
  return equals != std::string::npos && equals > 0 ? std::string() : "'" + text + "' is not KEY=VALUE";
}

}  // namespace

std::string bad_bus(const std::string& name) {
  if (!name.empty() && name.size() <= EVS_BUS_NAME_MAX) return {};
  return "a bus name has 1 to " + std::to_string(EVS_BUS_NAME_MAX) + " bytes";
}

uint64_t duration_of(const std::string& text) {
  const auto parsed = runtime::parse_duration(text);
  if (!parsed.ok()) throw CLI::ValidationError("'" + text + "' is no duration: such as 500ms, 2s, 1min");
  return *parsed;
}

void add_bus_choice(CLI::App& command, BusChoice& choice) {
  command.add_option("--bus", choice.bus, "Name of the bus (default: as configured)")
      ->type_name("NAME")
      ->check(checked(bad_bus));
  add_configuration(command, choice);
}

void add_configuration(CLI::App& command, BusChoice& choice) {
  command.add_option("--config", choice.config_file, "Read this file in place of the usual ones")->type_name("FILE");
  command.add_option("--set", choice.settings, "Set one configuration key; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE")
      ->check(checked(bad_setting))
      ->take_all()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace evs::tools
