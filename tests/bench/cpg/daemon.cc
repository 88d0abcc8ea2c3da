// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/daemon.cc - see daemon.h.
#include "tests/bench/cpg/daemon.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <system_error>

namespace evs::bench {

namespace {

void must(int answer, const char* what) {
  if (answer != 0) throw std::system_error(errno, std::generic_category(), what);
}

// knet looks for its ciphers in one directory below /usr, wherever it was itself loaded from: there it sees the unpacked packages over the machine's own.
void show_plugins(const std::string& directory) {
  const std::string layers = "lowerdir=" + directory + "/unpacked/usr:/usr";
  if (mount("overlay", "/usr", "overlay", 0, layers.c_str()) != 0) perror("cpg-load: no overlay, so a corosync that seals will not start");
}

void move_away(const std::string& directory) {
  must(unshare(CLONE_NEWNS | CLONE_NEWIPC), "no namespaces for a corosync");
  must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mounts stay shared");
  for (const char* emptied : {"/run", "/dev/shm", "/var/lib"}) must(mount("tmpfs", emptied, "tmpfs", 0, nullptr), emptied);
  must(mkdir("/var/lib/corosync", 0700), "/var/lib/corosync");
  show_plugins(directory);
}

[[noreturn]] void become(const std::string& directory, const std::string& configuration, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  dup2(STDERR_FILENO, STDOUT_FILENO);  // the standard output carries answers
  setenv("LD_LIBRARY_PATH", (directory + "/lib").c_str(), 1);
  const std::string program = directory + "/corosync";
  execl(program.c_str(), "corosync", "-f", "-c", configuration.c_str(), nullptr);
  _exit(127);
}

}  // namespace

CorosyncDaemon::CorosyncDaemon(const std::string& directory, const std::string& configuration) {
  move_away(directory);
  const pid_t self = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "no process for a corosync");
  if (pid_ == 0) become(directory, configuration, self);
}

CorosyncDaemon::~CorosyncDaemon() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

double CorosyncDaemon::cpu_ms() const {
  clockid_t clock;
  timespec at{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &at) != 0) return 0;
  return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_nsec) / 1e6;
}

}  // namespace evs::bench
