// SPDX-License-Identifier: BSD-3-Clause
// roles.cc - from a name on the command line to what is played.
#include "tests/bench/roles.h"

#include <cstdio>
#include <exception>
#include <filesystem>

namespace evs::bench {

int run_role(const std::vector<std::string>& arguments) {
  const std::string role = arguments.empty() ? "" : arguments[0];
  try {
    if (role == "keep-up" && arguments.size() == 2) {
      play_keep_up(std::stoul(arguments[1]));
    } else if (role == "memory-baseline") {
      play_memory_baseline();
    } else if (role == "memory-member") {
      play_memory_member();
    } else {
      fprintf(stderr, "evs-speed: --role is for evs-speed itself, and does not know '%s'\n", role.c_str());
      return 2;
    }
  } catch (const std::exception& error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

std::string own_executable() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

}  // namespace evs::bench
