// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/failover.cc - evs-bus-failover: how long until all who live are told that somebody is gone, killed or in order, at default settings (docs/performance.md, "Between hosts").
//
//   evs-bus-failover [--quick] [--only=WORD] [key=value ...]      as root: three hosts are network namespaces; lines that have that word; keys of the configuration
//
// From the kill, or from the word to leave, to the last survivor's configuration callback. Three hosts on one machine share its processors: the figures are this machine's.
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

enum class End { killed, leaves, unplugged };
struct Victim {
  const char* what;
  size_t (*choose)(Crowd&);
  End end;
  bool stands = false;  // a standing gateway has come before
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
    if (!crowd.alive(i) || i == chosen || (victim.end == End::unplugged && crowd.host_of(i) == 0)) continue;
    left.push_back(i);
    nodes.push_back(crowd.status(i).node);
  }
  std::sort(nodes.begin(), nodes.end());
  std::string members;
  for (const uint32_t node : nodes) members += (members.empty() ? "" : ",") + std::to_string(node);
  const uint64_t begin = now_ns();
  if (victim.end == End::unplugged) crowd.wire().unplug(0, true);
  else if (victim.end == End::killed) crowd.kill(chosen);
  else crowd.leave(chosen);
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
  if (victim.end == End::unplugged) crowd.wire().unplug(0, false);
  if (!all) {
    fprintf(stderr, "not told everywhere: %s\n", members.c_str());
    for (const size_t i : left) {
      const Crowd::Status status = crowd.status(i);
      fprintf(stderr, "  process %d of host %zu: conf %s, members %s\n", crowd.process(i).pid(), crowd.host_of(i) + 1, status.conf.c_str(), status.members.c_str());
    }
    for (size_t host = 0; host < crowd.hosts(); ++host)
      for (const auto& [name, value] : crowd.uplink_of(host)) fprintf(stderr, "  host %zu: %s %s\n", host + 1, name.c_str(), value.c_str());
  }
  return all ? static_cast<double>(last - begin) / 1e6 : -1;
}

constexpr Victim kVictims[] = {{"application killed", an_application, End::killed},     {"gateway killed", a_gateway, End::killed},
                               {"gateway leaves", a_gateway, End::leaves},              {"standing gateway leaves", a_gateway, End::leaves, true},
                               {"host unplugged", a_gateway, End::unplugged}};

}  // namespace

int main(int argc, char** argv) {
  if (const std::string why = evs::test::Wire::refused(); !why.empty()) {
    printf("no network namespaces here: %s\n", why.c_str());
    return 77;
  }
  bool quick = false;
  std::string only;
  Crowd::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") quick = true;
    else if (word.rfind("--only=", 0) == 0) only = word.substr(7);
    else options.parameters.push_back(word);
  }
  for (const Victim& victim : kVictims) {
    if (std::string(victim.what).find(only) == std::string::npos) continue;
    std::vector<double> times;
    for (int round = 0; round < (quick ? 1 : 10); ++round) {
      Crowd crowd(3, options);
      for (size_t host = 0; host < 3; ++host)
        for (int i = 0; i < 2; ++i) crowd.start(host);
      if (!crowd.until_one()) return printf("no configuration of all\n"), 1;
      if (victim.stands) {
        const size_t standing = crowd.start(0, {"uplink.gateway=standing"});
        if (!Crowd::until([&] { return crowd.is_gateway(standing); }) || !crowd.until_one()) return printf("the standing gateway has not come\n"), 1;
      }
      const double ms = once(crowd, victim);
      if (ms < 0) return printf("%s: survivors came to no configuration\n", victim.what), 1;
      times.push_back(ms);
    }
    std::sort(times.begin(), times.end());
    printf("%-24s median %7.1f ms  worst %7.1f ms  (%zu times; 3 hosts of 2 processes, idle)\n", victim.what, times[times.size() / 2], times.back(), times.size());
    fflush(stdout);
  }
  return 0;
}
