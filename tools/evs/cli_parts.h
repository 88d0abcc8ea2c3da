// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cli_parts.h - what the command lines of `evs` and evs-top have in common: which bus, with what configuration, and how values are checked.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "tools/evs/options.h"

namespace evs::tools {

// A validator that refuses with a sentence; empty: accepted.
inline CLI::Validator checked(std::string (*refusal)(const std::string&)) {
  return CLI::Validator([refusal](std::string& text) { return refusal(text); }, "");
}
std::string bad_bus(const std::string& name);

// Throws what the parser of a command line understands.
uint64_t duration_of(const std::string& text);

void add_bus_choice(CLI::App& command, BusChoice& choice);  // --bus, --config, --set
void add_configuration(CLI::App& command, BusChoice& choice);

}  // namespace evs::tools
