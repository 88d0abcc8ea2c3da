// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/peer_process.h - starts a peer (peer.cc) and talks with it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace evs::limits {

class PeerProcess {
 public:
  // `through`: a command that runs the peer, such as {"setpriv", "--reuid=65534", ...}; empty: directly.
  explicit PeerProcess(std::vector<std::string> through = {});
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  // The answer's line; "died: ..." or "silent: ..." when there is none.
  std::string ask(const std::string& command, int limit_ms = 60000);
  void kill(int signal);
  // Its main thread sleeps in poll(), not in the read() of its next command; at most five seconds.
  void wait_until_polling() const;
  // Waits for its end; "signal 9", "status 0".
  std::string end();
  pid_t pid() const { return pid_; }
  bool ready() const { return ready_; }

 private:
  std::string read_line(int limit_ms);

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string buffer_;
  bool ready_ = false;
};

}  // namespace evs::limits
