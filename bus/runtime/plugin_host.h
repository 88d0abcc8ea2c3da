// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host.h - finds, judges and loads what extends the bus: transports and services.
//
// A plugin is code that will run inside somebody else's process, so it is judged before it is loaded: by who could have
// written the file (plugin_host_file.h), then by the data it exports (plugin_host_check.h), and only then is a function
// of it called (plugin_instance.h). Every refusal is a sentence that names the file, what is wrong with it, and the way
// out.
//
// The order of the search: an absolute path is that file and no other; else a plugin that the application registered;
// then the directories of EVS_PLUGIN_PATH, of the configuration, and the installed one. The first file of that name
// decides: one that is refused is an error and not a reason to look further. Never the working directory, never the
// linker's path. What was loaded stays loaded: modules with thread_local or Asio cannot be unloaded safely.
//
// Threads: every function may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/include/evs/plugin.h"
#include "bus/runtime/plugin_result.h"

namespace evs::runtime {

// A line for the log. level: EVS_HOST_LOG_*.
using PluginLog = std::function<void(int32_t level, std::string_view text)>;

struct PluginSearch {
  std::string configured_path;      // plugins.path: absolute directories, colon-separated
  std::string installed_directory;  // where the package put them
};

// A plugin that passed every judgement. Its tables stay valid for the life of the process.
struct LoadedPlugin {
  const evs_plugin_entry* entry = nullptr;
  const evs_plugin_descriptor* descriptor = nullptr;
  std::string file;  // for people: its path, or that the application brought it

  std::string name() const { return descriptor->name; }
  std::vector<evs_parameter_info> parameters() const;  // by evs.params/1; empty when it does not tell
  // What it would say of these; empty: nothing, or it is not asked before create().
  std::string judge(const std::vector<evs_plugin_parameter>& list) const;

 private:
  const evs_params_extension* params() const;
};

// What lies on the search path, for `evs plugins`.
struct PluginFile {
  std::string file;
  std::string directory;              // "" for one that the application registered
  std::string problem;                // why it is refused; empty for a good one
  std::vector<LoadedPlugin> plugins;  // of a good one
  bool hidden = false;                // another file of this name comes first
};

class PluginHost {
 public:
  // CS_ERR_NOT_EXIST: not found; ACCESS: others may write it, or we may not read it; VERSION: another ABI; LIBRARY:
  // broken.
  static PluginResult<LoadedPlugin> load_transport(std::string_view name_or_path, const PluginSearch& search,
                                                   const PluginLog& log);
  static PluginResult<LoadedPlugin> load_service(std::string_view name_or_path, const PluginSearch& search,
                                                 const PluginLog& log);

  // Makes a plugin known that is linked into the application. CS_OK, or the failure of evs_plugin_register().
  static PluginResult<bool> register_plugin(const void* entry);

  // Loads every plugin file on the path to look at it: for tools, not for applications.
  static std::vector<PluginFile> list_plugins(const PluginSearch& search, const PluginLog& log);
};

}  // namespace evs::runtime
