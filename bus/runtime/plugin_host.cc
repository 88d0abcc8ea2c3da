// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host.cc - the search, and the loading of what it found.
#include "bus/runtime/plugin_host.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "bus/runtime/plugin_host_check.h"
#include "bus/runtime/plugin_host_file.h"
#include "bus/runtime/plugin_host_search.h"
#include "bus/runtime/plugin_instance.h"
#include "bus/runtime/plugin_registry.h"

namespace evs::runtime {
namespace {

void say(const PluginLog& log, int32_t level, const std::string& text) {
  if (log) log(level, text);
}

Trust trust_of_environment() {
  const char* insecure = secure_getenv("EVS_PLUGIN_INSECURE");
  return insecure != nullptr && std::strcmp(insecure, "1") == 0 ? Trust::insecure : Trust::checked;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// The linker is given the descriptor that was judged, not the name, which may lead elsewhere by now. It remembers
// modules by the spelling of their path, and a descriptor's number comes again: each load spells it in another way (its number in binary, "/" and
// "/."), or the linker would answer with an earlier plugin that once had this number.
std::string spelling_of(const OpenFile& file) {
  static std::atomic<uint64_t> loads{0};
  std::string spelling = "/proc/self/fd";
  for (uint64_t load = ++loads; load != 0; load >>= 1) spelling += (load & 1) != 0 ? "/." : "/";
  return spelling + "/" + std::to_string(file.fd());
}

PluginResult<void*> open_module(const OpenFile& file, const std::string& path) {
  const std::string spelling = spelling_of(file);
  // Constructors of the module's global objects run in here. One that throws ends the process, as with any shared
  // library: the linker holds its lock meanwhile, so there is nothing that could be caught and survived
  // (docs/plugin-guide.md).
  if (void* module = dlopen(spelling.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) return module;
  const char* reason = dlerror();
  std::string text = reason != nullptr ? reason : "the linker gives no reason";
  replace_all(text, spelling, path);
  return PluginFailure{CS_ERR_LIBRARY, "plugin " + path + " cannot be loaded: " + text};
}

PluginResult<const evs_plugin_entry*> load_entry(const std::string& path, const PluginLog& log) {
  std::string warning;
  PluginResult<OpenFile> file = open_plugin_file(path, trust_of_environment(), warning);
  if (!file) return file.failure();
  if (!warning.empty()) say(log, EVS_HOST_LOG_WARNING, warning);
  struct stat found {};
  if (fstat(file->fd(), &found) != 0) return PluginFailure{CS_ERR_LIBRARY, "plugin " + path + " cannot be looked at"};
  const FileIdentity identity{found.st_dev, found.st_ino};
  if (const evs_plugin_entry* known = PluginRegistry::get().entry_of(identity)) return known;

  PluginResult<void*> module = open_module(*file, path);
  if (!module) return module.failure();
  const auto* entry = static_cast<const evs_plugin_entry*>(dlsym(*module, EVS_PLUGIN_ENTRY_SYMBOL));
  if (entry == nullptr)
    return PluginFailure{CS_ERR_LIBRARY, "plugin " + path +
                                             " is refused: it does not export " EVS_PLUGIN_ENTRY_SYMBOL
                                             ", so it is no evs plugin, or one of another ABI"};
  if (auto failure = check_entry(entry, "plugin " + path)) return *failure;
  PluginRegistry::get().remember(identity, entry);
  return entry;
}

std::string kind_word(uint32_t kind) {
  return kind == EVS_KIND_TRANSPORT ? "transport" : "service";
}

std::string contents_of(const evs_plugin_entry& entry) {
  std::string list;
  for (uint32_t i = 0; i < entry.descriptor_count; ++i) {
    const evs_plugin_descriptor* descriptor = descriptor_at(entry, i);
    list += (list.empty() ? "" : ", ") + kind_word(descriptor->kind) + " \"" + descriptor->name + "\"";
  }
  return list;
}

// The descriptor of that kind and name; with no name, the only one of the kind.
const evs_plugin_descriptor* find_descriptor(const evs_plugin_entry& entry, uint32_t kind, std::string_view name) {
  const evs_plugin_descriptor* found = nullptr;
  for (uint32_t i = 0; i < entry.descriptor_count; ++i) {
    const evs_plugin_descriptor* descriptor = descriptor_at(entry, i);
    if (descriptor->kind != kind || (!name.empty() && name != descriptor->name)) continue;
    if (found != nullptr) return nullptr;
    found = descriptor;
  }
  return found;
}

PluginResult<LoadedPlugin> load_file(const std::string& path, uint32_t kind, std::string_view name,
                                     const PluginLog& log) {
  PluginResult<const evs_plugin_entry*> entry = load_entry(path, log);
  if (!entry) return entry.failure();
  const evs_plugin_descriptor* descriptor = find_descriptor(**entry, kind, name);
  if (descriptor == nullptr)
    return PluginFailure{CS_ERR_LIBRARY,
                         "plugin " + path + " is refused: it holds " + contents_of(**entry) + " and " +
                             (name.empty() ? "not exactly one " + kind_word(kind)
                                           : "no " + kind_word(kind) + " \"" + std::string(name) + "\"")};
  say(log, EVS_HOST_LOG_DEBUG,
      kind_word(kind) + " " + descriptor->name + " " + descriptor->version + " loaded from " + path);
  return LoadedPlugin{*entry, descriptor, path};
}

PluginFailure not_found(std::string_view name, uint32_t kind, const std::vector<PluginDirectory>& directories) {
  std::string text = "there is no " + kind_word(kind) + " \"" + std::string(name) + "\": " + file_name_of(kind, name) +
                     " is in none of ";
  text += directories.empty() ? "the plugin directories, for none is set" : describe(directories);
  if (const std::string near = nearest_plugin(name, kind, directories); !near.empty())
    text += ". Is \"" + near + "\" meant?";
  else
    text += ".";
  if (const std::string beside = beside_us(file_name_of(kind, name)); !beside.empty())
    return {CS_ERR_NOT_EXIST, text + " It is in " + beside + ", beside what runs here: say EVS_PLUGIN_PATH=" + beside + ", or plugins.path"};
  return {CS_ERR_NOT_EXIST,
          text + places_beside_us() + " Set EVS_PLUGIN_PATH or plugins.path to its directory, or name the file by its absolute path"};
}

PluginResult<LoadedPlugin> load(std::string_view name_or_path, uint32_t kind, const PluginSearch& search,
                                const PluginLog& log) {
  if (!name_or_path.empty() && name_or_path[0] == '/')
    return load_file(std::string(name_or_path), kind, name_in_file_name(name_or_path, kind), log);
  if (!is_module_name(name_or_path))
    return PluginFailure{CS_ERR_INVALID_PARAM, "\"" + std::string(name_or_path) + "\" is neither the name of a " +
                                                   kind_word(kind) +
                                                   " (1 to 32 characters out of a-z, 0-9 and -) nor an absolute path"};
  if (auto registered = PluginRegistry::get().find(kind, name_or_path)) return *registered;
  const std::vector<PluginDirectory> directories = plugin_directories(search, log);
  for (const PluginDirectory& directory : directories) {
    const std::string path = directory.path + "/" + file_name_of(kind, name_or_path);
    struct stat found {};
    if (lstat(path.c_str(), &found) == 0 || (errno != ENOENT && errno != ENOTDIR))
      return load_file(path, kind, name_or_path, log);
  }
  return not_found(name_or_path, kind, directories);
}

PluginFile look_at(const std::string& path, const std::string& directory, const PluginLog& log) {
  PluginFile file{path, directory, {}, {}, false};
  PluginResult<const evs_plugin_entry*> entry = load_entry(path, log);
  if (!entry) {
    file.problem = entry.failure().text;
    return file;
  }
  for (uint32_t i = 0; i < (*entry)->descriptor_count; ++i) {
    const LoadedPlugin plugin{*entry, descriptor_at(**entry, i), path};
    // Who lists plugins will ask each for its parameters: one that throws then is refused now.
    if (auto failure = asked(plugin, "get_extension", [&] { plugin.parameters(); })) {
      file.problem = failure->text;
      file.plugins.clear();
      return file;
    }
    file.plugins.push_back(plugin);
  }
  return file;
}

}  // namespace

const evs_params_extension* LoadedPlugin::params() const {
  const void* found = nullptr;
  if (descriptor->kind == EVS_KIND_TRANSPORT && descriptor->transport->get_extension != nullptr)
    found = descriptor->transport->get_extension(nullptr, EVS_EXTENSION_PARAMS);
  if (descriptor->kind == EVS_KIND_SERVICE && descriptor->service->get_extension != nullptr)
    found = descriptor->service->get_extension(nullptr, EVS_EXTENSION_PARAMS);
  return static_cast<const evs_params_extension*>(found);
}

std::vector<evs_parameter_info> LoadedPlugin::parameters() const {
  const evs_params_extension* told = params();
  if (told == nullptr || !EVS_HAS(told, evs_params_extension, parameters)) return {};
  return {told->parameters, told->parameters + told->count};
}

std::string LoadedPlugin::judge(const std::vector<evs_plugin_parameter>& list) const {
  const evs_params_extension* told = params();
  if (told == nullptr || !EVS_HAS(told, evs_params_extension, check) || told->check == nullptr) return {};
  char sentence[512] = "";
  evs_error_text error{sentence, sizeof sentence};
  if (told->check(list.data(), list.size(), &error) == EVS_P_OK) return {};
  sentence[sizeof sentence - 1] = '\0';
  return *sentence != '\0' ? std::string(sentence) : std::string("it refuses its parameters and does not say why");
}

PluginResult<LoadedPlugin> PluginHost::load_transport(std::string_view name_or_path, const PluginSearch& search,
                                                      const PluginLog& log) {
  return load(name_or_path, EVS_KIND_TRANSPORT, search, log);
}

PluginResult<LoadedPlugin> PluginHost::load_service(std::string_view name_or_path, const PluginSearch& search,
                                                    const PluginLog& log) {
  return load(name_or_path, EVS_KIND_SERVICE, search, log);
}

PluginResult<bool> PluginHost::register_plugin(const void* entry) {
  return PluginRegistry::get().add(static_cast<const evs_plugin_entry*>(entry));
}

std::vector<PluginFile> PluginHost::list_plugins(const PluginSearch& search, const PluginLog& log) {
  std::vector<PluginFile> files;
  for (const LoadedPlugin& plugin : PluginRegistry::get().registered())
    files.push_back({plugin.file, {}, {}, {plugin}, false});
  std::vector<std::string> seen;
  for (const PluginDirectory& directory : plugin_directories(search, log)) {
    for (const std::string& name : plugin_files_in(directory.path)) {
      PluginFile& file = files.emplace_back(look_at(directory.path + "/" + name, directory.path, log));
      file.hidden = std::find(seen.begin(), seen.end(), name) != seen.end();
      seen.push_back(name);
    }
  }
  return files;
}

}  // namespace evs::runtime
