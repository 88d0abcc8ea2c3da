// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host_search.cc - where plugins are looked for, and which of them is meant by a name that is none.
#include "bus/runtime/plugin_host_search.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "bus/runtime/plugin_registry.h"

namespace evs::runtime {
namespace {

constexpr std::string_view kTransportPrefix = "evs-transport-", kServicePrefix = "evs-service-", kSuffix = ".so";
constexpr size_t kLongestName = 32;
constexpr size_t kNear = 2;  // so many letters may be wrong for a name to be suggested

std::string_view prefix_of(uint32_t kind) {
  return kind == EVS_KIND_TRANSPORT ? kTransportPrefix : kServicePrefix;
}

void add_path(std::vector<PluginDirectory>& directories, std::string_view list, const char* origin,
              const PluginLog& log) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(':'), list.size());
    const std::string path(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (path.empty()) continue;
    if (path[0] == '/') {
      directories.push_back({path, origin});
    } else if (log) {
      log(EVS_HOST_LOG_WARNING,
          std::string(origin) + ": \"" + path + "\" is left out: a plugin directory must be absolute");
    }
  }
}

// How many letters must be added, dropped or changed to make one of the other (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({change, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_module_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

std::string file_name_of(uint32_t kind, std::string_view name) {
  return std::string(prefix_of(kind)).append(name).append(kSuffix);
}

std::string_view name_in_file_name(std::string_view path, uint32_t kind) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  const std::string_view prefix = prefix_of(kind);
  if (name.size() <= prefix.size() + kSuffix.size() || name.substr(0, prefix.size()) != prefix) return {};
  if (name.substr(name.size() - kSuffix.size()) != kSuffix) return {};
  name.remove_prefix(prefix.size());
  name.remove_suffix(kSuffix.size());
  return name;
}

std::vector<PluginDirectory> plugin_directories(const PluginSearch& search, const PluginLog& log) {
  std::vector<PluginDirectory> directories;
  // secure: in a set-user-id program the environment is the caller's, not the owner's.
  if (const char* path = secure_getenv("EVS_PLUGIN_PATH")) add_path(directories, path, "EVS_PLUGIN_PATH", log);
  add_path(directories, search.configured_path, "plugins.path", log);
  add_path(directories, search.installed_directory, "installed", log);
  return directories;
}

std::string describe(const std::vector<PluginDirectory>& directories) {
  std::string text;
  for (const PluginDirectory& directory : directories) {
    struct stat found {};
    const bool there = stat(directory.path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
    text += (text.empty() ? "" : ", ") + directory.path + " (" + directory.origin + (there ? ")" : ", not there)");
  }
  return text;
}

std::vector<std::string> plugin_files_in(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (!name_in_file_name(name, EVS_KIND_TRANSPORT).empty() || !name_in_file_name(name, EVS_KIND_SERVICE).empty())
      names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string beside_us(const std::string& file_name) {
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&beside_us), &here) == 0 || here.dli_fname == nullptr) return {};
  const std::unique_ptr<char, decltype(&std::free)> file(realpath(here.dli_fname, nullptr), &std::free);
  if (file == nullptr) return {};
  std::string directory(file.get());
  // The library lies in lib/, a program in bin/.
  for (const char* way : {"/evs/plugins", "/lib/evs/plugins"}) {
    directory.resize(std::min(directory.rfind('/'), directory.size()));
    if (access((directory + way + "/" + file_name).c_str(), F_OK) == 0) return directory + way;
  }
  return {};
}

std::string places_beside_us() {
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&beside_us), &here) == 0 || here.dli_fname == nullptr) return {};
  const std::unique_ptr<char, decltype(&std::free)> file(realpath(here.dli_fname, nullptr), &std::free);
  if (file == nullptr) return {};
  const std::string path(file.get());
  return " Nor is it beside " + path + ", in " + path.substr(0, path.rfind('/')) + "/evs/plugins.";
}

std::string nearest_plugin(std::string_view name, uint32_t kind, const std::vector<PluginDirectory>& directories) {
  std::vector<std::string> names;
  for (const LoadedPlugin& plugin : PluginRegistry::get().registered())
    if (plugin.descriptor->kind == kind) names.push_back(plugin.name());
  for (const PluginDirectory& directory : directories)
    for (const std::string& file : plugin_files_in(directory.path))
      if (const std::string_view there = name_in_file_name(file, kind); !there.empty()) names.emplace_back(there);
  const auto nearest = std::min_element(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return distance(a, name) < distance(b, name);
  });
  return nearest != names.end() && distance(*nearest, name) <= kNear ? *nearest : std::string();
}

}  // namespace evs::runtime
