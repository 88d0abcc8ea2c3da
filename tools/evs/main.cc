// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/main.cc - the front door of `evs`: reads the command line and hands over to the command.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include "evs/evs.h"
#include "evs/plugin.h"
#include "tools/evs/bench.h"
#include "tools/evs/cat.h"
#include "tools/evs/cli.h"
#include "tools/evs/completion.h"
#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/exporter_command.h"
#include "tools/evs/gateway_command.h"
#include "tools/evs/keygen_command.h"
#include "tools/evs/output.h"
#include "tools/evs/plugins_command.h"
#include "tools/evs/status_command.h"
#include "tools/evs/verify_command.h"

namespace evs::tools {

namespace {

std::string version_text() {
  return std::string("evs ") + EVS_TOOL_VERSION + "\nlibevs " + evs_version() + "\nplugin ABI " +
         std::to_string(EVS_PLUGIN_ABI_MAJOR) + "." + std::to_string(EVS_PLUGIN_ABI_MINOR) + "\n";
}

int run_completion(const CommandLine& line) {
  const std::string& shell = line.options().completion;
  if (shell == "bash") return print(bash_completion(line.tree()));
  if (shell == "zsh") return print(zsh_completion(line.tree()));
  return print(fish_completion(line.tree()));
}

int run(int argc, char** argv) {
  CommandLine line;
  if (const auto status = line.parse(argc, argv)) return *status;
  const Options& options = line.options();
  const std::string command = line.command();
  if (options.version) return print(version_text());
  if (!options.completion.empty()) return run_completion(line);
  if (command == "cat") return run_cat(options.cat);
  if (command == "status") return run_status(options.status);
  if (command == "gateway") return run_gateway(options.gateway);
  if (command == "exporter") return run_exporter(options.exporter);
  if (command == "plugins") return run_plugins(options.plugins);
  if (command == "bench") return run_bench(options.bench);
  if (command == "config") return run_config(options.config);
  if (command == "verify") return run_verify(options.verify);
  if (command == "keygen") return run_keygen(options.keygen);
  std::fputs(line.help().c_str(), stderr);
  return kExitUsage;
}

// Closed when we were started: another file would get the number, and be read or written in its place. Opened the wrong way round, so that its
// use is an error.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) < 0) static_cast<void>(open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY));
}

}  // namespace

}  // namespace evs::tools

int main(int argc, char** argv) {
  try {
    evs::tools::occupy_standard_descriptors();
    return evs::tools::run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, above all
    std::fprintf(stderr, "evs: %s\n", error.what());
    return evs::tools::kExitFailure;
  }
}
