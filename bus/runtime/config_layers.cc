// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_layers.cc - files and environment.
#include "bus/runtime/config_layers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "bus/runtime/config_descriptor.h"

namespace evs::runtime {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;  // parse_config_text refuses more, with a sentence

std::string error_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof(buffer));  // the GNU one: returns the text, wherever it stands
}

Failure unreadable(const std::string& path, std::string_view reason) {
  return {printable(path) + ": cannot read the configuration: " + std::string(reason)};
}

// The file may be faultless: what this process has run out of is no error of who wrote it.
Failure unreadable(const std::string& path, int error) {
  Failure failure = unreadable(path, error_text(error));
  if (error == EMFILE) {
    failure.text += "; close some descriptors, or raise this process's limit (ulimit -n)";
    failure.cause = Cause::no_descriptors;
  } else if (error == ENFILE) {
    failure.text += "; the whole machine is out of them (sysctl fs.file-max)";
    failure.cause = Cause::no_descriptors;
  } else if (error == ENOMEM) {
    failure.cause = Cause::no_memory;
  }
  return failure;
}

// Not blocking: a FIFO put in a file's place must not stop the host application.
Result<std::string> read_all(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return unreadable(path, errno);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return unreadable(path, errno);
  if (S_ISDIR(status.st_mode)) return unreadable(path, "it is a directory");
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))  // /dev/null is a fine empty configuration
    return unreadable(path, "it is not a file");
  std::string text;
  char block[16384];
  while (text.size() <= kFileBytesMax) {
    const ssize_t got = ::read(file.get(), block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, errno);
    if (got == 0) break;
    text.append(block, static_cast<size_t>(got));
  }
  return text;
}

// Whether an optional file is there. `hidden_is_absent`: a directory on the way that may not be searched hides it, as
// with a service that has dropped its rights but kept root's HOME.
bool exists(const std::string& path, bool hidden_is_absent) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return !(hidden_is_absent && errno == EACCES);
}

std::string lookup(const ConfigPairs& environment, std::string_view name) {
  for (const auto& [key, value] : environment)
    if (key == name) return value;
  return "";
}

// $XDG_CONFIG_HOME/evs/evs.toml or ~/.config/evs/evs.toml; relative paths do not count (XDG says so).
std::string user_file(const ConfigPairs& environment) {
  const std::string xdg = lookup(environment, "XDG_CONFIG_HOME");
  if (!xdg.empty() && xdg.front() == '/') return xdg + "/evs/evs.toml";
  const std::string home = lookup(environment, "HOME");
  if (!home.empty() && home.front() == '/') return home + "/.config/evs/evs.toml";
  return "";
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

// The *.toml of a directory in the order of their names; editors' hidden files are not among them.
Result<std::vector<std::string>> toml_files(const std::string& directory) {
  std::vector<std::string> paths;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) {
    if (errno == ENOENT || errno == ENOTDIR) return paths;
    return unreadable(directory, errno);
  }
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name.front() != '.' && ends_with(name, ".toml")) paths.push_back(directory + "/" + std::string(name));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// local.ring_size for EVS_LOCAL_RING_SIZE, also when there is no such key; empty when no section of ours is named. No
// section has an underscore in its name, so the first one ends it.
std::string key_of_variable(std::string_view name) {
  const std::string rest = lower(name.substr(std::strlen("EVS_")));
  const size_t end = rest.find('_');
  if (end == std::string::npos || end + 1 == rest.size()) return "";
  const std::string section = rest.substr(0, end);
  if (is_section(section)) return section + "." + rest.substr(end + 1);
  if (section != "plugin") return "";
  // EVS_PLUGIN_PATH and EVS_PLUGIN_INSECURE, which mean something else, have no second part.
  const size_t name_end = rest.find('_', end + 1);
  if (name_end == std::string::npos || name_end == end + 1 || name_end + 1 == rest.size()) return "";
  return std::string(kPluginPrefix) + rest.substr(end + 1, name_end - end - 1) + "." + rest.substr(name_end + 1);
}

}  // namespace

Result<std::vector<ConfigFile>> read_config_files(const LoadRequest& request, const ConfigPairs& environment) {
  std::vector<std::string> paths;
  if (!request.file.empty()) {
    paths.push_back(request.file);
  } else {
    const std::string system = request.system_directory + "/evs.toml";
    if (exists(system, false)) paths.push_back(system);
    Result<std::vector<std::string>> parts = toml_files(request.system_directory + "/conf.d");
    if (!parts) return parts.failure();
    paths.insert(paths.end(), parts->begin(), parts->end());
    const std::string user = user_file(environment);
    if (!user.empty() && exists(user, true)) paths.push_back(user);
    const std::string named = lookup(environment, "EVS_CONFIG");
    if (!named.empty()) paths.push_back(named);
  }
  std::vector<ConfigFile> files;
  for (const std::string& path : paths) {
    Result<std::string> text = read_all(path);
    if (!text) return text.failure();
    files.push_back({path, std::move(*text)});
  }
  return files;
}

ConfigPairs process_environment() {
  ConfigPairs found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name(pair.substr(0, equals));
    if (!name.starts_with("EVS_") && name != "HOME" && name != "XDG_CONFIG_HOME") continue;
    const char* value = secure_getenv(name.c_str());
    if (value != nullptr) found.emplace_back(name, value);
  }
  return found;
}

Result<std::vector<Assignment>> environment_assignments(const ConfigPairs& environment) {
  std::vector<Assignment> found;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("EVS_") || name == "EVS_CONFIG") continue;
    const std::string key = key_of_variable(name);
    if (key.empty()) continue;
    const std::string origin = "environment " + printable(name);
    if (!key.starts_with(kPluginPrefix) && key_index(key) == kNoKey) {
      const std::string_view near = nearest_key(key);
      return Failure{origin + ": unknown key " + printable(key) + "; did you mean " + environment_name(near) + " (" +
                     std::string(near) + ")? All keys: evs.toml(5) or `evs config`"};
    }
    Assignment assignment;
    assignment.key = key;
    assignment.written.text = value;
    assignment.origin = origin;
    found.push_back(std::move(assignment));
  }
  // environ has no order of its own; the first error should not depend on the shell.
  std::sort(found.begin(), found.end(), [](const Assignment& a, const Assignment& b) { return a.key < b.key; });
  return found;
}

}  // namespace evs::runtime
