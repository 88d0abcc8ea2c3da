// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/making.h - how the bus gets a networked transport: by a descriptor like a plugin's, and this in evs_host::context.
#pragma once

#include <optional>

#include "bus/include/evs/plugin.h"
#include "bus/runtime/plugin_result.h"

namespace evs::runtime {
class Config;
class Log;
}  // namespace evs::runtime

namespace evs::runtime::uplink {

// All of it outlives the transport.
struct Making {
  const Config* config = nullptr;
  const evs_host* host = nullptr;  // the bus's own
  Log* log = nullptr;
  // Why it could not be created or started. A plugin's tables carry a part of that, and who calls them puts the plugin's name before it: this is none.
  std::optional<PluginFailure>* failure = nullptr;
};

const evs_plugin_descriptor& networked_descriptor();

}  // namespace evs::runtime::uplink
