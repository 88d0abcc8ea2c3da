// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/speed.cc - evs-bus-speed: what applications on three hosts send each other through the whole bus (docs/performance.md, "Between hosts").
//
//   evs-bus-speed [--quick] [--senders=N] [--bytes=N] [--steady=SECONDS] [key=value ...]     as root: three hosts are network namespaces; keys of the configuration
//
// --steady: three saturating senders of 100 KB, and how often the configuration changed although nobody went.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/driven.h"
#include "tests/support/netns.h"

namespace {

using evs::test::Driven;
using evs::test::Wire;

constexpr size_t kHosts = 3;

struct Setting {
  size_t bytes;
  int guarantee;
  size_t senders;
};

class Trio {
 public:
  Trio(const Wire& wire, const Setting& setting, const std::vector<std::string>& parameters) {
    char shared[] = "/dev/shm/evs-speed-XXXXXX";
    directory_ = mkdtemp(shared);
    for (size_t host = 0; host < kHosts; ++host) {
      const std::string own = directory_ + "/" + std::to_string(host + 1);
      std::filesystem::create_directory(own);
      std::filesystem::permissions(own, std::filesystem::perms::owner_all);
      std::vector<std::string> command = {EVS_TEST_LOAD, std::to_string(setting.bytes), std::to_string(setting.guarantee), host < setting.senders ? "1" : "0",
                                          std::string("plugins.path=") + EVS_PLUGIN_DIRECTORY, "local.directory=" + own, "uplink.transport=udp",
                                          "uplink.host_id=" + std::to_string(host + 1), "plugin.udp.interface=eth0", "local.ring_size=16MiB"};
      command.insert(command.end(), parameters.begin(), parameters.end());
      members_.push_back(std::make_unique<Driven>());
      members_.back()->start([&](int in, int out) { return wire.start(host, command, in, out); });
    }
    for (const auto& member : members_)
      while (ask(*member, "members", 20'000) != "3") {}
  }
  ~Trio() {
    for (const auto& member : members_) member->kill();
    std::filesystem::remove_all(directory_);
  }

  static std::string ask(Driven& member, const std::string& line, int patience_ms) {
    member.tell(line);
    std::string answer;
    return member.answer(answer, patience_ms) ? answer : "no answer";
  }
  std::vector<std::string> go(int ms) {
    std::vector<std::string> answers(kHosts);
    for (const auto& member : members_) member->tell("go " + std::to_string(ms));
    for (size_t i = 0; i < kHosts; ++i) members_[i]->answer(answers[i], ms + 20'000);
    return answers;
  }
  std::string pace(size_t host, int ms, int gap_us) { return ask(*members_[host], "pace " + std::to_string(ms) + " " + std::to_string(gap_us), ms + 20'000); }

 private:
  std::string directory_;
  std::vector<std::unique_ptr<Driven>> members_;
};

}  // namespace

int main(int argc, char** argv) {
  if (const std::string why = Wire::refused(); !why.empty()) {
    printf("no network namespaces here: %s\n", why.c_str());
    return 77;
  }
  int ms = 3000, steady = 0, only_senders = 0, only_bytes = 0;
  std::vector<std::string> parameters;
  bool quick = false, secure = false;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--quick") == 0) quick = true;
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
  for (const size_t senders : {size_t{1}, size_t{3}})
    for (const size_t bytes : {64, 700, 1400, 10'000, 100'000}) {
      if ((only_senders != 0 && only_senders != static_cast<int>(senders)) || (only_bytes != 0 && only_bytes != bytes)) continue;
      Trio trio(wire, {static_cast<size_t>(bytes), 2, senders}, parameters);
      printf("%6zu B, %zu senders, AGREED: %s\n", static_cast<size_t>(bytes), senders, trio.go(ms)[2].c_str());
      fflush(stdout);
    }
  if (only_senders != 0 || only_bytes != 0) return 0;
  for (const int guarantee : {2, 3}) {
    Trio trio(wire, {64, guarantee, 0}, parameters);
    for (const int gap : {0, 50'000}) printf("64 B, %s, gap %d us: %s\n", guarantee == 2 ? "AGREED" : "SAFE", gap, trio.pace(0, ms, gap).c_str());
  }
  return 0;
}
