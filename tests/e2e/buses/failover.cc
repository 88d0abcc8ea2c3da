// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/failover.cc - evs-bus-failover: how long until all who live are told that somebody is gone, at default settings (docs/performance.md, "Between hosts").
//
//   evs-bus-failover [--quick] [key=value ...]      as root: three hosts are network namespaces; keys of the configuration
//
// From the kill to the last survivor's configuration callback. Three hosts on one machine share its processors: the figures are this machine's.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "tests/e2e/buses/crowd.h"

namespace {

using evs::test::Crowd;

uint64_t now_ns() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<uint64_t>(at.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(at.tv_nsec);
}

struct Victim {
  const char* what;
  size_t (*choose)(Crowd&);
  bool whole_host;
};

size_t an_application(Crowd& crowd) {
  for (size_t i = 0; i < crowd.size(); ++i)
    if (crowd.alive(i) && crowd.host_of(i) == 0 && !crowd.is_gateway(i)) return i;
  return crowd.size();
}
size_t a_gateway(Crowd& crowd) { return crowd.gateway_of(0); }

// Milliseconds; negative: not within the patience.
double once(Crowd& crowd, const Victim& victim) {
  const size_t chosen = victim.choose(crowd);
  if (chosen == crowd.size()) return -1;
  std::vector<size_t> left;
  std::vector<uint32_t> nodes;
  for (size_t i = 0; i < crowd.size(); ++i) {
    if (!crowd.alive(i) || i == chosen || (victim.whole_host && crowd.host_of(i) == 0)) continue;
    left.push_back(i);
    nodes.push_back(crowd.status(i).node);
  }
  std::sort(nodes.begin(), nodes.end());
  std::string members;
  for (const uint32_t node : nodes) members += (members.empty() ? "" : ",") + std::to_string(node);
  const uint64_t begin = now_ns();
  if (victim.whole_host) crowd.wire().unplug(0, true);
  else crowd.kill(chosen);
  uint64_t last = 0;
  const bool all = Crowd::until([&] {
    last = 0;
    for (const size_t i : left) {
      const uint64_t at = crowd.told_of(i, members, begin);
      if (at == 0) return false;
      last = std::max(last, at);
    }
    return true;
  });
  if (victim.whole_host) crowd.wire().unplug(0, false);
  return all ? static_cast<double>(last - begin) / 1e6 : -1;
}

}  // namespace

int main(int argc, char** argv) {
  if (const std::string why = evs::test::Wire::refused(); !why.empty()) {
    printf("no network namespaces here: %s\n", why.c_str());
    return 77;
  }
  const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
  Crowd::Options options;
  for (int i = quick ? 2 : 1; i < argc; ++i) options.parameters.push_back(argv[i]);
  for (const Victim& victim : {Victim{"application killed", an_application, false}, Victim{"gateway killed", a_gateway, false}, Victim{"host unplugged", a_gateway, true}}) {
    std::vector<double> times;
    for (int round = 0; round < (quick ? 1 : 10); ++round) {
      Crowd crowd(3, options);
      for (size_t host = 0; host < 3; ++host)
        for (int i = 0; i < 2; ++i) crowd.start(host);
      if (!crowd.until_one()) return printf("no configuration of all\n"), 1;
      const double ms = once(crowd, victim);
      if (ms < 0) return printf("%s: survivors came to no configuration\n", victim.what), 1;
      times.push_back(ms);
    }
    std::sort(times.begin(), times.end());
    printf("%-20s median %7.1f ms  worst %7.1f ms  (%zu times; 3 hosts of 2 processes, idle)\n", victim.what, times[times.size() / 2], times.back(), times.size());
    fflush(stdout);
  }
  return 0;
}
