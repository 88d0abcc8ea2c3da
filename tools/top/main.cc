// SPDX-License-Identifier: BSD-3-Clause
// tools/top/main.cc - evs-top: a bus as it runs. Reads the command line, opens what is to be looked at, and hands over to the screen or to the printer.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "tools/evs/completion.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/output.h"
#include "tools/evs/signals.h"
#include "tools/top/cli.h"
#include "tools/top/print.h"
#include "tools/top/screen_loop.h"
#include "tools/top/watcher.h"

namespace evs::top {
namespace {

int print_completion(const CommandLine& line) {
  const std::string& shell = line.options().completion;
  if (shell == "bash") return tools::print(tools::bash_completion(line.tree()));
  if (shell == "zsh") return tools::print(tools::zsh_completion(line.tree()));
  return tools::print(tools::fish_completion(line.tree()));
}

bool is_readable(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  return poll(&wanted, 1, 0) > 0;
}

int run(int argc, char** argv) {
  CommandLine line;
  if (const auto status = line.parse(argc, argv)) return *status;
  const Options& options = line.options();
  if (options.version) return tools::print("evs-top " EVS_TOOL_VERSION "\n");
  if (!options.completion.empty()) return print_completion(line);
  const bool screen = options.on_screen();
  if (screen && (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)) {
    std::fprintf(stderr, "evs-top: stdin and stdout are no terminal: --once, --json, --csv and --check need none\n");
    return tools::kExitUsage;
  }
  tools::LeaveSignals signals;
  Watcher watcher(options);
  const int opened = watcher.open([&] { return is_readable(signals.descriptor()) || (screen && is_readable(STDIN_FILENO)); });
  if (opened != tools::kExitOk) {
    if (options.check) return static_cast<void>(tools::print("EVS UNKNOWN - " + watcher.error() + "\n")), static_cast<int>(Grade::unknown);
    std::fprintf(stderr, "evs-top: %s\n", watcher.error().c_str());
    return opened;
  }
  return screen ? run_on_screen(options, watcher, signals) : print_looks(options, watcher, signals);
}

// Closed when we were started: another file would get the number. Opened the wrong way round, so that its use is an error.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) < 0) static_cast<void>(open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY));
}

}  // namespace
}  // namespace evs::top

int main(int argc, char** argv) {
  try {
    evs::top::occupy_standard_descriptors();
    return evs::top::run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, above all
    std::fprintf(stderr, "evs-top: %s\n", error.what());
    return evs::tools::kExitFailure;
  }
}
