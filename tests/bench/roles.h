// SPDX-License-Identifier: BSD-3-Clause
// roles.h - what the executable does when it is started by itself, for figures that need a process that was exec'd.
#pragma once

#include <string>
#include <vector>

namespace evs::bench {

// `arguments`: the role's name and what it takes. The exit status.
int run_role(const std::vector<std::string>& arguments);

// "/proc/self/exe" by its real name, so that it can be started by others.
std::string own_executable();

// One million messages' worth of traffic between two processes that never wait in the kernel (system_calls.cc).
void play_keep_up(unsigned long messages);

// Says "ready" on standard output in a steady state and stays until standard input ends (memory.cc).
void play_memory_baseline();
void play_memory_member();

}  // namespace evs::bench
