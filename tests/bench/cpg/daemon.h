// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/daemon.h - a corosync of this process's own, in the foreground, which ends with it.
//
// The caller moves to a mount and an IPC namespace in which /run, /dev/shm and /var/lib are empty, and the packages' files lie over /usr: three daemons live side by side on one machine, and what they write goes
// with them. The network is that of the namespace the caller is in already. The calling thread must be the first one, and stay: the daemon dies with it.
#pragma once

#include <sys/types.h>

#include <string>

namespace evs::bench {

class CorosyncDaemon {
 public:
  // `directory` as tests/bench/cpg/fetch leaves it. Throws std::system_error.
  CorosyncDaemon(const std::string& directory, const std::string& configuration);
  ~CorosyncDaemon();
  CorosyncDaemon(const CorosyncDaemon&) = delete;
  CorosyncDaemon& operator=(const CorosyncDaemon&) = delete;

  double cpu_ms() const;

 private:
  pid_t pid_ = 0;
};

}  // namespace evs::bench
