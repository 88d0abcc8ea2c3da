// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/hosts/fleet.h - real hosts on a wire that the test can cut: each a process in a network namespace of its own, and what they saw judged at the end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/netns.h"
#include "tools/verify/check.h"

namespace evs::test {

struct Status {
  bool answered = false;
  std::string phase, members, ring;
  uint64_t sent = 0, unstamped = 0, delivered = 0, refused = 0;
};

class Fleet {
 public:
  struct Options {
    bool sealed = true;
    std::vector<std::string> parameters = {"interface=eth0"};  // the plugin's
  };
  explicit Fleet(size_t hosts) : Fleet(hosts, Options()) {}
  Fleet(size_t hosts, Options options);
  ~Fleet();

  Wire& wire() { return wire_; }
  size_t size() const { return hosts_.size(); }
  bool alive(size_t host) const { return hosts_[host].pid != 0; }
  void start(size_t host);
  void start_all();
  void kill(size_t host);             // SIGKILL
  void pause(size_t host, bool paused);
  void tell(size_t host, const std::string& line);
  void tell_all(const std::string& line);
  Status status(size_t host);         // of a host that runs
  void use_key(size_t host, const std::string& name);  // at its next start; made if there is none of that name
  // What its present life, or its last, has said to people.
  std::vector<std::string> log(size_t host) const;
  size_t told(size_t host, const std::string& words) const;  // lines of it that have them

  // The load goes on for so long: a duration, and nothing that is waited for.
  static void go_on(int milliseconds);
  // False: not within the patience.
  static bool until(const std::function<bool()>& done, int patience_ms = 30'000);
  bool until_one_ring(int patience_ms = 30'000);
  // Nobody has anything to say, and all have stamped what they said.
  bool until_quiet();
  // Ends all who live and judges all lives; empty: it was extended virtual synchrony.
  std::string judge(bool all_connected = true);

  const std::string& directory() const { return directory_; }

 private:
  struct Host {
    pid_t pid = 0;
    int to = -1, from = -1;
    uint64_t lives = 0;
    std::string key;
    std::string unread;
  };
  void bury(size_t host);
  std::string trace_of(size_t host) const { return file_of(host, "trace"); }
  std::string file_of(size_t host, const std::string& kind) const;
  bool read_line(Host& host, std::string& line, int patience_ms);
  std::string key_file(const std::string& name);

  Options options_;
  std::string directory_;
  Wire wire_;
  std::vector<Host> hosts_;
};

}  // namespace evs::test
