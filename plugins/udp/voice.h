// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/voice.h - what the network complains of while we run: counted each time, said once an episode.
//
// A peer that is switched off answers nothing or, through the last router, a refusal a packet. All of it is loss to the ring
// above, which knows better than we do whether that peer matters. The log gets one line when a kind of complaint begins, and
// the next one only after it was absent for kEpisodeNs. A refusal is said when it goes on: who hands its port over to another process of its
// host (a gateway to its successor) refuses for some milliseconds.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "plugins/udp/counters.h"

namespace evs::udp {

inline constexpr uint64_t kEpisodeNs = 10'000'000'000, kRefusedPatienceNs = 1'000'000'000;

uint64_t now_ns();

class Voice {
 public:
  Voice(const evs_host* host, Counters& counters) : host_(host), counters_(counters) {}

  void say(int32_t level, const char* kind, const std::string& text) const {
    if (host_->log != nullptr) host_->log(host_->context, level, kind, text.data(), text.size());
  }
  void wake_service() const {
    if (host_->wake != nullptr) host_->wake(host_->context);
  }

  // True when an episode of `what` begins with this one; the caller then says it.
  bool begins(Count what, uint64_t n = 1) { return begins_at(now_ns(), what, n); }
  // Counts a system call's error by its kind, about `whom`.
  void failed(int error, const std::string& whom) { failed_at(now_ns(), error, whom); }
  void failed_at(uint64_t at_ns, int error, const std::string& whom);
  // Nobody is expected at that address any more: whoever was there has taken its leave, or has another one. That nobody listens there is counted, and no news.
  void went(const std::string& whom);
  void came(const std::string& whom) { gone_.erase(whom); }

 private:
  bool begins_at(uint64_t at_ns, Count what, uint64_t n);
  bool is_refused_for_long(uint64_t at_ns, bool begins);

  const evs_host* host_;
  Counters& counters_;
  uint64_t last_ns_[static_cast<size_t>(Count::count_)] = {};
  uint64_t refused_since_ns_ = 0;
  bool refused_said_ = false;
  std::set<std::string> gone_;
};

// Which count an error number of a socket belongs to.
Count kind_of(int error);

}  // namespace evs::udp
