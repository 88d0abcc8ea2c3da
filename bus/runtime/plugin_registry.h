// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_registry.h - the plugins that this process already has: linked into the application, or loaded
// before.
//
// One for the process, made at first use and never destroyed: an application may open a bus from its own static
// objects.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "bus/runtime/plugin_host.h"

namespace evs::runtime {

struct FileIdentity {
  dev_t device;
  ino_t inode;  // not given to another file while this one is mapped
};

class PluginRegistry {
 public:
  static PluginRegistry& get();

  PluginResult<bool> add(const evs_plugin_entry* entry);
  std::optional<LoadedPlugin> find(uint32_t kind, std::string_view name) const;
  std::vector<LoadedPlugin> registered() const;

  const evs_plugin_entry* entry_of(const FileIdentity& file) const;  // nullptr: not loaded yet
  void remember(const FileIdentity& file, const evs_plugin_entry* entry);

 private:
  struct Module {
    FileIdentity file;
    const evs_plugin_entry* entry;
  };

  mutable std::mutex mutex_;  // not held while a module is loaded: its constructors may register plugins
  std::vector<LoadedPlugin> registered_;
  std::vector<Module> modules_;
};

}  // namespace evs::runtime
