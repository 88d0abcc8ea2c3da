// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_layers.h - where the layers of the configuration are found; the only I/O of it.
//
// A file of the system or the user may be absent; one that somebody named must be there. One that is there and cannot
// be read is always a failure: to go on with the defaults would put this process on another bus than its peers.
#pragma once

#include <string>
#include <vector>

#include "bus/runtime/config.h"

namespace evs::runtime {

struct ConfigFile {
  std::string path;
  std::string text;
};

// The files that apply, lowest layer first, read.
Result<std::vector<ConfigFile>> read_config_files(const LoadRequest& request, const ConfigPairs& environment);

// What of this process's environment concerns the configuration: EVS_*, HOME, XDG_CONFIG_HOME. Empty in a program that
// runs with privileges its user has not.
ConfigPairs process_environment();

// EVS_<SECTION>_<KEY> and EVS_PLUGIN_<NAME>_<KEY>, as assignments. A name in a section of ours that is no key fails.
Result<std::vector<Assignment>> environment_assignments(const ConfigPairs& environment);

}  // namespace evs::runtime
