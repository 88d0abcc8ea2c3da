// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/crowd.h - several hosts on a wire, several applications on each, one bus: and what they all saw judged at the end.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/driven.h"
#include "tests/support/netns.h"

namespace evs::test {

class Crowd {
 public:
  struct Options {
    std::vector<std::string> parameters;  // key=value of the configuration, for all
    bool sealed = false;
  };
  struct Status {
    bool answered = false;
    std::string conf, members;
    uint64_t sent = 0, own = 0, delivered = 0, epoch = 0;
    uint32_t node = 0;
    bool is_regular() const { return answered && conf != "joining" && conf != "transitional"; }
  };

  explicit Crowd(size_t hosts) : Crowd(hosts, Options()) {}
  Crowd(size_t hosts, Options options);
  ~Crowd();

  Wire& wire() { return wire_; }
  size_t hosts() const { return wire_.hosts(); }
  // key=value of the configuration of whoever joins the bus on this host.
  std::vector<std::string> parameters_of(size_t host) const;
  // One more application of this host, with `more` on its command line; its number.
  size_t start(size_t host, const std::vector<std::string>& more = {});
  size_t size() const { return members_.size(); }
  bool alive(size_t member) const { return members_[member]->process.alive(); }
  size_t host_of(size_t member) const { return members_[member]->host; }
  size_t alive_on(size_t host) const;
  Driven& process(size_t member) { return members_[member]->process; }
  void kill(size_t member);
  void leave(size_t member);
  // Buries those who died at a store, as they were told to (mortal.h), and counts them by its name. Anybody else's end is a problem in judge().
  void reap();
  const std::map<std::string, size_t>& deaths() const { return deaths_; }
  size_t death_count() const { return death_count_; }
  void tell(size_t member, const std::string& line) { members_.at(member)->process.tell(line); }
  bool try_tell(size_t member, const std::string& line);  // false: it does not listen any more
  void tell_all(const std::string& line);
  Status status(size_t member);
  // What the gateway of a host says of itself (bus/runtime/uplink/status_file.h); empty: there is none.
  std::map<std::string, std::string> uplink_of(size_t host) const;
  bool is_gateway(size_t member) const;
  size_t gateway_of(size_t host) const;  // size(): nobody who lives
  std::string board_of(size_t host) const;  // its directory
  std::string state_of(size_t host) const;  // its disk
  std::string key_file() const { return traces_ + "/key"; }  // of all hosts, when sealed

  // When a member was told of the regular configuration of just these members, behind `since` (monotonic); 0: not yet.
  uint64_t told_of(size_t member, const std::string& members, uint64_t since) const;

  static void go_on(int milliseconds);
  static bool until(const std::function<bool()>& done, int patience_ms = 30'000);
  // These members are in one primary configuration, of a higher epoch than `above`; the epoch, or 0.
  uint64_t until_primary(const std::vector<size_t>& members, uint64_t above, int patience_ms = 30'000);
  // All who live are in one configuration, and nobody else.
  bool until_one(int patience_ms = 30'000);
  // What was sent was delivered everywhere, and nothing moves.
  bool until_quiet(int patience_ms = 30'000);
  // Ends all who live and judges all lives; empty: it was extended virtual synchrony.
  std::string judge(bool all_connected = true);

 private:
  struct Member {
    size_t host;
    std::string trace;
    Driven process;
    std::string died;  // what it said of that
  };
  void bury(Member& member);
  static void cut_traces(const Member& member);

  std::map<std::string, size_t> deaths_;
  size_t death_count_ = 0;
  std::string problems_;
  Options options_;
  std::string traces_, shared_;
  Wire wire_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace evs::test
