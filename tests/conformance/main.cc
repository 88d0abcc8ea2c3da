// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/main.cc - conformance PLUGIN.so [--processes] [--wire] [--set=KEY=VALUE]... [--gtest_...]
//
//   PLUGIN.so     the transport that is examined, or EVS_CONFORMANCE_PLUGIN in the environment
//   --processes   an ordered medium that connects processes: peers are started as such
//   --wire        a datagram medium that connects hosts: each instance is in a network namespace of its own, on one wire
//   --set=K=V     a parameter for the plugin, beside or in place of those that the bus hands to every local transport. {i} in V is
//                 the number of the instance of a datagram medium, from 1
//
// The plugin says which kind of medium it is, and the stories for that kind are told.
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/conformance/suite.h"
#include "tests/support/netns.h"

namespace {

using evs::conformance::options;

void set(const std::string& assignment) {
  const size_t at = assignment.find('=');
  const std::string key = assignment.substr(0, at), value = at == std::string::npos ? "" : assignment.substr(at + 1);
  for (auto& [name, old] : options().parameters) {
    if (name != key) continue;
    old = value;
    return;
  }
  options().parameters.emplace_back(key, value);
}

// What the bus hands to every local transport. Small, so that laps and full media come soon.
void set_local_defaults() {
  for (const char* assignment :
       {"ring_size=1MiB", "message_limit=64KiB", "max_processes=16", "group=", "slow_reader_timeout=10s",
        "stalled_writer_timeout=0", "attach_timeout=5s", "spin=20us", "directory="})
    set(assignment);
}

// The stories of the other kind of medium are left out.
void choose_stories(bool datagram) {
  std::string& filter = testing::GTEST_FLAG(filter);
  if (datagram && filter == "*") filter = "Datagram*";
  if (!datagram) filter += filter.find('-') == std::string::npos ? "-Datagram*" : ":Datagram*";
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  char self[PATH_MAX] = "";
  if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) return 2;
  options().self = self;
  if (const char* plugin = std::getenv("EVS_CONFORMANCE_PLUGIN")) options().plugin = plugin;
  std::string peer_of;
  std::vector<std::string> assignments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--processes")
      options().processes = true;
    else if (word == "--wire")
      options().wire = true;
    else if (word.rfind("--set=", 0) == 0)
      assignments.push_back(word.substr(6));
    else if (word.rfind("--peer=", 0) == 0)
      peer_of = word.substr(7);
    else
      options().plugin = std::filesystem::absolute(word);
  }
  if (options().plugin.empty()) {
    std::fprintf(stderr, "usage: %s PLUGIN.so [--processes] [--wire] [--set=KEY=VALUE]...\n", argv[0]);
    return 2;
  }
  const bool datagram = evs::conformance::plugin().descriptor->transport->medium == EVS_MEDIUM_DATAGRAM;
  if (!datagram) set_local_defaults();
  for (const std::string& assignment : assignments) set(assignment);
  choose_stories(datagram);
  if (const std::string why = options().wire ? evs::test::Wire::refused() : ""; !why.empty()) {
    std::printf("SKIPPED, there is no wire between hosts here: %s\n", why.c_str());
    return 77;
  }
  if (!peer_of.empty()) return evs::conformance::run_peer(peer_of);

  char directory[] = "/dev/shm/evs-conformance-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 2;
  options().directory = directory;
  if (!datagram) set(std::string("directory=") + directory);
  const int result = RUN_ALL_TESTS();
  std::filesystem::remove_all(directory);
  return result;
}
