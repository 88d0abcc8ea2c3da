// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/link/round.h - three hosts on one ring, each a process in a network namespace of its own: how much arrives, how soon, and what it costs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <vector>

#include "bus/ordering/ids.h"
#include "tests/support/netns.h"

namespace evs::bench {

inline constexpr size_t kLinkHosts = 3;

struct Board;  // shared with the hosts

struct LinkSetting {
  std::string plugin, key_file;         // "none": in the clear
  std::vector<std::string> parameters;  // the transport's
};

struct Load {
  size_t bytes = 64;
  size_t senders = 1;                   // the first so many hosts
  ordering::Service service = ordering::Service::agreed;
  uint64_t gap_ns = 0;                  // between messages, which then carry their time; 0: as fast as they are taken
};

struct LinkResult {
  double messages = 0, bytes = 0;       // a second, at the receiver that got fewest
  std::vector<uint64_t> latency_ns;     // sorted; at the last host, of messages of the first
  double cpu = 0;                       // seconds of all hosts a second
};

// One ring, one load, for so long.
LinkResult run_link(const test::Wire& wire, const LinkSetting& setting, const Load& load, int milliseconds);

}  // namespace evs::bench
