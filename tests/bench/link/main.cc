// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/link/main.cc - evs-link-speed: the ring over real sockets, beside what bare sockets carry in the same run (docs/performance.md, "Between hosts").
//
//   evs-link-speed [--quick]      as root: it makes its hosts out of network namespaces
//
// Three hosts on one machine share its processors with the kernel's network between them: ratios say something, figures only of this machine.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "bus/runtime/sealing/key_file.h"
#include "tests/bench/link/round.h"
#include "tests/bench/udp_round.h"

namespace {

using namespace evs::bench;
using evs::ordering::Service;
namespace sealing = evs::runtime::sealing;

constexpr size_t kSizes[] = {64, 700, 1400, 10'000, 100'000};

std::string make_key(const std::string& directory) {
  const std::string path = directory + "/key";
  const auto key = sealing::draw_key(1);
  if (!key || !sealing::write_key_file(path, sealing::Keyring(*key), sealing::KeyFileWrite::create)) return {};
  return path;
}

double mb(double bytes) { return bytes / 1e6; }

void throughput(const evs::test::Wire& wire, const LinkSetting& setting, double bare, int ms) {
  for (const size_t senders : {size_t{1}, size_t{3}})
    for (const size_t bytes : kSizes) {
      const LinkResult r = run_link(wire, setting, {bytes, senders, Service::agreed, 0}, ms);
      printf("  %6zu B, %zu sender%s  %10.0f messages/s  %8.1f MB/s  %5.2f of the bare sockets' bytes  %4.2f cores\n", bytes, senders, senders == 1 ? " " : "s",
             r.messages, mb(r.bytes), r.bytes / bare, r.cpu);
    }
  const LinkResult agreed = run_link(wire, setting, {1400, 3, Service::agreed, 0}, ms), safe = run_link(wire, setting, {1400, 3, Service::safe, 0}, ms);
  printf("  SAFE beside AGREED, 1400 B, 3 senders: %.2f (%.0f, %.0f messages/s)\n", safe.messages / agreed.messages, safe.messages, agreed.messages);
}

void latency(const evs::test::Wire& wire, const LinkSetting& setting, int ms) {
  for (const Service service : {Service::agreed, Service::safe})
    for (const uint64_t gap_ms : {1, 50}) {
      const LinkResult r = run_link(wire, setting, {64, 1, service, gap_ms * 1'000'000}, gap_ms == 50 ? 3 * ms : ms);
      if (r.latency_ns.empty()) continue;
      const auto at = [&](double part) { return static_cast<double>(r.latency_ns[static_cast<size_t>(part * static_cast<double>(r.latency_ns.size() - 1))]) / 1e3; };
      printf("  64 B, %s, one every %2llu ms  p50 %7.1f us  p99 %7.1f us  (%zu)\n", service == Service::safe ? "SAFE  " : "AGREED",
             static_cast<unsigned long long>(gap_ms), at(0.5), at(0.99), r.latency_ns.size());
    }
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
  const int ms = quick ? 200 : 1500;
  if (const std::string why = evs::test::Wire::refused(); !why.empty()) {
    printf("no network namespaces here: %s\n", why.c_str());
    return 77;
  }
  std::string directory = std::filesystem::temp_directory_path() / "evs-link-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const std::string key = make_key(directory);
  try {
    const evs::test::Wire wire(kLinkHosts);
    for (const bool offload : {true, false}) {
      const double bare = probe_udp(wire, ms, offload);
      printf("bare multicast sockets, 1400 B, one to one, %s offload: %.1f MB/s\n", offload ? "with" : "without", mb(bare));
      for (const bool sealed : {false, true}) {
        if (quick && sealed != offload) continue;
        const LinkSetting setting{EVS_UDP_PLUGIN, sealed ? key : "none", {"interface=eth0", std::string("offload=") + (offload ? "auto" : "off")}};
        printf("evs, %s, %s offload\n", sealed ? "sealed" : "in the clear", offload ? "with" : "without");
        throughput(wire, setting, bare, ms);
        if (!offload) continue;
        latency(wire, setting, ms);
        const LinkResult idle = run_link(wire, setting, {64, 0, Service::agreed, 0}, 2 * ms);
        printf("  idle: %.2f %% of a core, all hosts together\n", 100 * idle.cpu);
      }
    }
  } catch (const std::exception& problem) {
    fprintf(stderr, "evs-link-speed: %s\n", problem.what());
    std::filesystem::remove_all(directory);
    return 1;
  }
  std::filesystem::remove_all(directory);
  return 0;
}
