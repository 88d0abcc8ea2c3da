// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host_check.h - judges what a plugin exports before any function of it runs.
//
// Magic, major and sizes first; then each descriptor's name and kind; then that every function is there which the bus
// calls without asking. After that no caller looks at a size or a null pointer again, but for the fields that a later
// minor added.
#pragma once

#include <optional>
#include <string>

#include "bus/include/evs/plugin.h"
#include "bus/runtime/plugin_result.h"

namespace evs::runtime {

// `where` names the plugin in the failure's text. nullopt: all is well.
std::optional<PluginFailure> check_entry(const evs_plugin_entry* entry, const std::string& where);

// The i-th descriptor: the array's stride is the size in the plugin's build, not in ours.
const evs_plugin_descriptor* descriptor_at(const evs_plugin_entry& entry, uint32_t index);

}  // namespace evs::runtime
