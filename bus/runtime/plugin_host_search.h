// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host_search.h - names, file names and the directories between them.
//
// Pure but for reading directories: nothing here opens or judges a plugin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus/runtime/plugin_host.h"

namespace evs::runtime {

struct PluginDirectory {
  std::string path;
  std::string origin;  // "EVS_PLUGIN_PATH", "plugins.path", "installed"
};

bool is_module_name(std::string_view name);  // [a-z0-9-]{1,32}

// evs-transport-NAME.so or evs-service-NAME.so, and back; "" when the file is not named so.
std::string file_name_of(uint32_t kind, std::string_view name);
std::string_view name_in_file_name(std::string_view path, uint32_t kind);

// In the order of the search. What is not absolute is left out, with a warning: it would depend on the working
// directory.
std::vector<PluginDirectory> plugin_directories(const PluginSearch& search, const PluginLog& log);

// "/a (from EVS_PLUGIN_PATH), /b (installed, not there)".
std::string describe(const std::vector<PluginDirectory>& directories);

// The file names of plugins in a directory, sorted.
std::vector<std::string> plugin_files_in(const std::string& directory);

// The name of a plugin that is there and looks like `name`; "" when none does.
std::string nearest_plugin(std::string_view name, uint32_t kind, const std::vector<PluginDirectory>& directories);

// A directory that is looked into by nobody and has it: where plugins lie beside the file that this code is in, in a build tree or an installation that was moved.
std::string beside_us(const std::string& file_name);
// " Nor is it beside FILE, in DIRECTORY.": for who has looked there; empty: it is not known where we are.
std::string places_beside_us();

}  // namespace evs::runtime
