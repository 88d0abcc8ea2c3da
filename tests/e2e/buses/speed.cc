// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/speed.cc - evs-bus-speed: what applications on three hosts send each other through the whole bus (docs/performance.md, "Between hosts").
//
//   evs-bus-speed [--quick] [--latency] [--senders=N] [--bytes=N] [--steady=SECONDS] [key=value ...]     as root: three hosts are network namespaces; keys of the configuration
//
// --steady: three saturating senders of 100 KB, and how often the configuration changed although nobody went.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/buses/load_crew.h"
#include "tests/support/netns.h"

namespace {

using evs::test::LoadCrew;
using evs::test::Wire;

constexpr size_t kHosts = 3;

struct Setting {
  size_t bytes;
  int guarantee;
  size_t senders;
};

class Trio {
 public:
  Trio(const Wire& wire, const Setting& setting, const std::vector<std::string>& parameters) : crew_(wire) {
    char shared[] = "/dev/shm/evs-speed-XXXXXX";
    directory_ = mkdtemp(shared);
    for (size_t host = 0; host < kHosts; ++host)
      crew_.start(host, evs::test::load_command(host, directory_, {setting.bytes, setting.guarantee, host < setting.senders}, parameters));
    crew_.until_one();
  }
  ~Trio() { std::filesystem::remove_all(directory_); }

  std::vector<std::string> go(int ms) { return crew_.go(ms); }
  LoadCrew::Latency one_way(int ms, int gap_us) { return crew_.one_way(0, kHosts - 1, ms, gap_us); }

 private:
  std::string directory_;
  LoadCrew crew_;
};

}  // namespace

int main(int argc, char** argv) {
  if (const std::string why = Wire::refused(); !why.empty()) {
    printf("no network namespaces here: %s\n", why.c_str());
    return 77;
  }
  int ms = 3000, steady = 0, only_senders = 0, only_bytes = 0;
  std::vector<std::string> parameters;
  bool quick = false, latency = false, secure = false;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--quick") == 0) quick = true;
    else if (strcmp(argv[i], "--latency") == 0) latency = true;
    else if (strncmp(argv[i], "--steady=", 9) == 0) steady = std::stoi(argv[i] + 9);
    else if (strncmp(argv[i], "--senders=", 10) == 0) only_senders = std::stoi(argv[i] + 10);
    else if (strncmp(argv[i], "--bytes=", 8) == 0) only_bytes = std::stoi(argv[i] + 8);
    else if (strncmp(argv[i], "--ms=", 5) == 0) ms = std::stoi(argv[i] + 5);
    else parameters.push_back(argv[i]);
    secure |= strncmp(argv[i], "uplink.", 7) == 0;
  }
  if (!secure) parameters.push_back("uplink.security=none");
  if (quick) ms = 300;
  const Wire wire(kHosts);
  if (steady != 0) {
    Trio trio(wire, {100'000, 2, 3}, parameters);
    for (const std::string& answer : trio.go(steady * 1000)) printf("three saturating senders of 100 KB: %s\n", answer.c_str());
    return 0;
  }
  for (const size_t senders : {size_t{1}, size_t{3}}) {
    if (latency) break;
    for (const size_t bytes : {64, 700, 1400, 10'000, 100'000}) {
      if ((only_senders != 0 && only_senders != static_cast<int>(senders)) || (only_bytes != 0 && only_bytes != static_cast<int>(bytes))) continue;
      Trio trio(wire, {static_cast<size_t>(bytes), 2, senders}, parameters);
      printf("%6zu B, %zu senders, AGREED: %s\n", static_cast<size_t>(bytes), senders, trio.go(ms)[2].c_str());
      fflush(stdout);
    }
  }
  if (only_senders != 0 || only_bytes != 0) return 0;
  for (const int guarantee : {2, 3}) {
    Trio trio(wire, {64, guarantee, 0}, parameters);
    for (const int gap : {0, 50'000}) {
      const auto [p50, p99, count] = trio.one_way(ms, gap);
      printf("64 B, %s, one in flight, gap %d us: host to host, p50 %.1f us, p99 %.1f us, of %zu\n", guarantee == 2 ? "AGREED" : "SAFE", gap, p50, p99, count);
      fflush(stdout);
    }
  }
  return 0;
}
