// SPDX-License-Identifier: BSD-3-Clause
// tools/top/loaded.h - which files of evs a process has loaded, by what the kernel says of its mappings (proc(5)). Nothing is asked of the process, and no plugin is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/top/frame.h"

namespace evs::top {

struct Mapped {
  std::string path;
  bool replaced = false;
  friend bool operator==(const Mapped&, const Mapped&) = default;
};
// Pure, of the text of /proc/PID/maps: libevs and evs's plugins, each once.
std::vector<Mapped> evs_files_in(std::string_view maps);

// Of these processes, as far as we may look.
std::vector<Loaded> loaded_by(const std::vector<int32_t>& pids);

}  // namespace evs::top
