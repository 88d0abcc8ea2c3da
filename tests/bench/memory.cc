// SPDX-License-Identifier: BSD-3-Clause
// memory.cc - what a process pays in memory of its own for having the bus open.
//
// Two members talk for a while and then rest; of each, the private pages (smaps_rollup) less those of the same
// executable without libevs. With two, what they share is not anybody's own: the ring, and the library's code.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/payload.h"
#include "tests/bench/roles.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kBytes = 1024;
constexpr uint64_t kMessages = 20'000;  // several laps of the default ring
constexpr double kMiB = 1 << 20;

uint64_t heard;

void hear(hdb_handle_t, unsigned int, const void*, size_t) {
  ++heard;
}

void say_ready_and_stay() {
  if (write(STDOUT_FILENO, "r", 1) != 1) return;
  char end = 0;
  while (read(STDIN_FILENO, &end, 1) > 0) {
  }
}

// A program of our own with a pipe to each end.
class Process {
 public:
  explicit Process(const char* role) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw Malfunction("pipe");
    const std::string path = own_executable();
    char* arguments[] = {const_cast<char*>(path.c_str()), const_cast<char*>("--role"), const_cast<char*>(role),
                         nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    const int error = posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
    if (error != 0) throw Malfunction("posix_spawn of " + path);
  }
  ~Process() {
    close(to_);
    close(from_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void wait_until_ready() const {
    char sign = 0;
    if (read(from_, &sign, 1) != 1) throw Malfunction("a process left before it was ready; its reason stands above");
  }

  double private_bytes() const {
    std::ifstream rollup("/proc/" + std::to_string(pid_) + "/smaps_rollup");
    double kilobytes = 0;
    bool found = false;
    for (std::string line; std::getline(rollup, line);) {
      std::istringstream words(line);
      std::string name;
      double value = 0;
      if (!(words >> name >> value) || name.rfind("Private_", 0) != 0) continue;
      kilobytes += value;
      found = true;
    }
    if (!found) throw Malfunction("no Private_ lines in smaps_rollup");
    return kilobytes * 1024;
  }

 private:
  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace

void play_memory_baseline() {
  say_ready_and_stay();
}

void play_memory_member() {
  Member member(hear);
  member.join(group_named("memory"));
  const Payload payload(kBytes, 0);
  // Our own messages come back too: when they all have, we have been through the ring several times.
  for (uint64_t sent = 0; sent < kMessages;) {
    if (member.send_joined(payload.data(), payload.bytes())) ++sent;
    member.dispatch(CS_DISPATCH_ALL);
  }
  while (heard < kMessages) member.dispatch(CS_DISPATCH_ALL);
  member.leave(group_named("memory"));  // who rests and does not dispatch must not hold up who still talks
  say_ready_and_stay();
}

std::vector<Outcome> measure_memory(const Plan&) {
  const Process baseline("memory-baseline");
  baseline.wait_until_ready();
  const double without = baseline.private_bytes();
  const Process first("memory-member");
  const Process second("memory-member");
  first.wait_until_ready();
  second.wait_until_ready();
  const double with = std::max(first.private_bytes(), second.private_bytes());
  return {{TargetId::memory,
           {(with - without) / kMiB},
           {{"member", with / kMiB, "MiB"}, {"same program without libevs", without / kMiB, "MiB"}},
           0,
           ""}};
}

}  // namespace evs::bench
