// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/status_lines.cc - see status_lines.h.
#include "bus/runtime/uplink/status_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include "bus/runtime/config_descriptor.h"
#include "shm/death.h"

namespace evs::runtime::uplink {
namespace {

// As the kernel and ps know this process: the name of its first thread may be another one than ours.
std::string own_command() {
  char name[16] = "";
  const Descriptor file(open("/proc/self/comm", O_RDONLY | O_CLOEXEC));
  const ssize_t got = file.get() < 0 ? 0 : read(file.get(), name, sizeof name);
  std::string command(name, got > 0 ? static_cast<size_t>(got) : 0);
  return command.substr(0, command.find('\n'));
}

}  // namespace

void StatusLines::add_teller(bool stands) {
  add("gateway_pid", static_cast<uint64_t>(getpid()));
  add("gateway_start_time", shm::process_start_time(getpid()));
  add("gateway_command", std::string_view(own_command()));
  add("gateway_standing", uint64_t{stands});
}

}  // namespace evs::runtime::uplink
