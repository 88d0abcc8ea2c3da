// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_registry.cc - registration by the application, and the memory of what was loaded.
#include "bus/runtime/plugin_registry.h"

#include "bus/runtime/plugin_host_check.h"

namespace evs::runtime {
namespace {

constexpr const char* kBrought = "(registered by the application)";

const LoadedPlugin* find_in(const std::vector<LoadedPlugin>& plugins, uint32_t kind, std::string_view name) {
  for (const LoadedPlugin& plugin : plugins)
    if (plugin.descriptor->kind == kind && name == plugin.descriptor->name) return &plugin;
  return nullptr;
}

}  // namespace

PluginRegistry& PluginRegistry::get() {
  static auto* const registry = new PluginRegistry;
  return *registry;
}

PluginResult<bool> PluginRegistry::add(const evs_plugin_entry* entry) {
  if (entry == nullptr) return PluginFailure{CS_ERR_INVALID_PARAM, "the plugin's entry is a null pointer"};
  if (auto failure = check_entry(entry, "the plugin of the application")) {
    if (failure->code != CS_ERR_VERSION) failure->code = CS_ERR_INVALID_PARAM;
    return *failure;
  }
  const std::lock_guard guard(mutex_);
  std::vector<LoadedPlugin> fresh;
  for (uint32_t i = 0; i < entry->descriptor_count; ++i) {
    const evs_plugin_descriptor* descriptor = descriptor_at(*entry, i);
    const LoadedPlugin* old = find_in(registered_, descriptor->kind, descriptor->name);
    if (old != nullptr && old->entry == entry) return true;  // the same one again: nothing to do
    if (old != nullptr || find_in(fresh, descriptor->kind, descriptor->name) != nullptr)
      return PluginFailure{CS_ERR_EXIST,
                           "a plugin named \"" + std::string(descriptor->name) + "\" is registered already"};
    fresh.push_back({entry, descriptor, kBrought});
  }
  registered_.insert(registered_.end(), fresh.begin(), fresh.end());
  return true;
}

std::optional<LoadedPlugin> PluginRegistry::find(uint32_t kind, std::string_view name) const {
  const std::lock_guard guard(mutex_);
  const LoadedPlugin* found = find_in(registered_, kind, name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::vector<LoadedPlugin> PluginRegistry::registered() const {
  const std::lock_guard guard(mutex_);
  return registered_;
}

const evs_plugin_entry* PluginRegistry::entry_of(const FileIdentity& file) const {
  const std::lock_guard guard(mutex_);
  for (const Module& module : modules_)
    if (module.file.device == file.device && module.file.inode == file.inode) return module.entry;
  return nullptr;
}

void PluginRegistry::remember(const FileIdentity& file, const evs_plugin_entry* entry) {
  const std::lock_guard guard(mutex_);
  modules_.push_back({file, entry});
}

}  // namespace evs::runtime
