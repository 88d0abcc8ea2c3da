// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/load_crew.cc - see load_crew.h.
#include "tests/e2e/buses/load_crew.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace evs::test {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatienceWithAnEnd{5};

void end(Driven& member) {
  try {
    member.tell("end");
    const auto deadline = Clock::now() + kPatienceWithAnEnd;
    int code = 0, status = 0;
    while (!member.has_ended(code, status) && Clock::now() < deadline) poll(nullptr, 0, 1);
    if (member.has_ended(code, status)) return member.wait();
  } catch (const std::runtime_error&) {  // it has ended already
  }
  member.kill();
}

}  // namespace

LoadCrew::~LoadCrew() {
  for (const auto& member : members_)
    if (member->alive()) end(*member);
}

void LoadCrew::start(size_t host, const std::vector<std::string>& command) {
  members_.push_back(std::make_unique<Driven>());
  members_.back()->start([&](int in, int out) { return wire_.start(host, command, in, out, errors_); });
}

void LoadCrew::until_one(int patience_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(patience_ms);
  for (size_t i = 0; i < members_.size(); ++i)
    while (ask(i, "members", patience_ms) != std::to_string(members_.size())) {
      if (Clock::now() > deadline) throw std::runtime_error("applications on three hosts came to no configuration of all");
      poll(nullptr, 0, 1);
    }
}

std::string LoadCrew::ask(size_t member, const std::string& line, int patience_ms) {
  members_[member]->tell(line);
  std::string answer;
  return members_[member]->answer(answer, patience_ms) ? answer : "no answer";
}

std::vector<std::string> LoadCrew::go(int ms) {
  std::vector<std::string> answers(members_.size(), "no answer");
  for (const auto& member : members_) member->tell("go " + std::to_string(ms));
  for (size_t i = 0; i < members_.size(); ++i) members_[i]->answer(answers[i], ms + 20'000);
  return answers;
}

LoadCrew::Latency LoadCrew::one_way(size_t sender, size_t receiver, int ms, int gap_us) {
  const std::string reports = (std::filesystem::temp_directory_path() / ("evs-reports-" + std::to_string(getpid()))).string();
  if (mkfifo(reports.c_str(), 0600) != 0) throw std::runtime_error("no FIFO " + reports);
  for (size_t i = 0; i < members_.size(); ++i) {
    const std::string line = i == sender ? "await " + reports + " " + std::to_string(members_.size() - 1) : "report " + reports;
    if (const std::string answer = ask(i, line, 20'000); answer != "ok") throw std::runtime_error("application " + std::to_string(i + 1) + ", told \"" + line + "\": " + answer);
  }
  std::filesystem::remove(reports);
  ask(receiver, "heard", 20'000);  // what it heard before
  pace(sender, ms, gap_us);
  Latency latency;
  const std::string answer = ask(receiver, "heard", 20'000);
  if (sscanf(answer.c_str(), "p50_us=%lf p99_us=%lf count=%zu", &latency.p50_us, &latency.p99_us, &latency.count) != 3) throw std::runtime_error("no answer of a receiver");
  return latency;
}

std::vector<std::string> load_command(size_t host, const std::string& directory, const LoadSetting& setting, const std::vector<std::string>& parameters) {
  const std::string own = directory + "/" + std::to_string(host + 1);
  std::filesystem::create_directory(own);
  std::filesystem::permissions(own, std::filesystem::perms::owner_all);
  std::vector<std::string> command = {EVS_TEST_LOAD, std::to_string(setting.bytes), std::to_string(setting.guarantee), setting.sends ? "1" : "0",
                                      std::string("plugins.path=") + EVS_PLUGIN_DIRECTORY, "local.directory=" + own, "uplink.transport=udp",
                                      "uplink.host_id=" + std::to_string(host + 1), "plugin.udp.interface=eth0", "local.ring_size=16MiB"};
  command.insert(command.end(), parameters.begin(), parameters.end());
  return command;
}

}  // namespace evs::test
