// SPDX-License-Identifier: BSD-3-Clause
// tools/top/loaded.cc - see loaded.h.
#include "tools/top/loaded.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

namespace evs::top {
namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr size_t kMostLines = 100'000;  // a process has 65,530 mappings at most, unless somebody has raised that

bool is_ours(std::string_view name) {
  if (name.starts_with("libevs.so")) return true;
  return name.ends_with(".so") && (name.starts_with("evs-transport-") || name.starts_with("evs-service-"));
}

}  // namespace

std::vector<Mapped> evs_files_in(std::string_view maps) {
  std::vector<Mapped> files;
  for (size_t lines = 0; !maps.empty() && lines < kMostLines; ++lines) {
    const std::string_view line = maps.substr(0, maps.find('\n'));
    maps.remove_prefix(std::min(maps.size(), line.size() + 1));
    const size_t slash = line.find('/');
    if (slash == std::string_view::npos) continue;
    std::string_view path = line.substr(slash);
    const bool replaced = path.ends_with(kDeleted);
    if (replaced) path.remove_suffix(kDeleted.size());
    if (!is_ours(path.substr(path.rfind('/') + 1))) continue;
    Mapped file{std::string(path), replaced};
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
  }
  return files;
}

std::vector<Loaded> loaded_by(const std::vector<int32_t>& pids) {
  std::map<std::pair<std::string, bool>, std::vector<int32_t>> by_file;
  for (const int32_t pid : pids) {
    std::ifstream stream("/proc/" + std::to_string(pid) + "/maps");
    std::ostringstream text;
    text << stream.rdbuf();
    for (const Mapped& file : evs_files_in(text.str())) by_file[{file.path, file.replaced}].push_back(pid);
  }
  std::vector<Loaded> loaded;
  for (auto& [file, its] : by_file) loaded.push_back({file.first, file.second, std::move(its)});
  return loaded;
}

}  // namespace evs::top
