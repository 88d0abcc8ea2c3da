// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/peer.cc - members elsewhere.
//
// A peer in another process is this program again, started with posix_spawn (a fork of a program with threads could not
// go on), which takes one-line commands on its standard input and answers each with one line. Its death is SIGKILL.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "tests/conformance/suite.h"

extern char** environ;

namespace evs::conformance {
namespace {

void send_all(Member& member, const std::string& group, const std::string& tag, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const Message message = to(group, tag + "." + std::to_string(i));
    int32_t status = EVS_P_AGAIN;
    while ((status = member.append(message)) == EVS_P_AGAIN)
      member.ops().wait_room(member.self(), message.data.size(), 1, kLong);
    if (status != EVS_P_OK) throw std::runtime_error("append: " + std::to_string(status));
  }
}

class InstancePeer : public Peer {
 public:
  explicit InstancePeer(const std::string& bus) : member_(bus), who_(member_.who()) {}
  ~InstancePeer() override { sent(); }
  evs_ordered_member who() override { return who_; }
  void send(const std::string& group, const std::string& tag, uint32_t count) override {
    sent();
    sender_ = std::thread([=, this] { send_all(member_, group, tag, count); });
  }
  void sent() override {
    if (sender_.joinable()) sender_.join();
  }
  void leave() override {
    sent();
    member_.stop();
  }
  void die() override { FAIL() << "an instance in this process cannot die"; }

 private:
  Member member_;
  evs_ordered_member who_;
  std::thread sender_;
};

class ProcessPeer : public Peer {
 public:
  explicit ProcessPeer(const std::string& bus) {
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, down[0], 0);
    posix_spawn_file_actions_adddup2(&files, up[1], 1);
    std::vector<std::string> words = {options().self, options().plugin, "--peer=" + bus};
    for (const auto& [key, value] : options().parameters) words.push_back("--set=" + key + "=" + value);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (posix_spawn(&pid_, options().self.c_str(), &files, nullptr, argv.data(), environ) != 0)
      throw std::runtime_error("no peer");
    posix_spawn_file_actions_destroy(&files);
    close(down[0]);
    close(up[1]);
    commands_ = fdopen(down[1], "w");
    answers_ = fdopen(up[0], "r");
    std::istringstream(answer()) >> who_.nodeid >> who_.pid >> who_.incarnation;
  }
  ~ProcessPeer() override {
    fclose(commands_);  // its end of input: it leaves
    fclose(answers_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  evs_ordered_member who() override { return who_; }
  void send(const std::string& group, const std::string& tag, uint32_t count) override {
    tell("send " + group + " " + tag + " " + std::to_string(count));
    ++owed_;
  }
  void sent() override {
    for (; owed_ > 0; --owed_) EXPECT_EQ(answer(), "done\n");
  }
  void leave() override {
    sent();
    tell("leave");
    EXPECT_EQ(answer(), "done\n");
  }
  void die() override {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  void tell(const std::string& line) {
    fprintf(commands_, "%s\n", line.c_str());
    fflush(commands_);
  }
  std::string answer() {
    char line[256] = "";
    return fgets(line, sizeof(line), answers_) == nullptr ? "(the peer is gone)" : line;
  }

  pid_t pid_ = -1;
  FILE *commands_ = nullptr, *answers_ = nullptr;
  evs_ordered_member who_{};
  int owed_ = 0;
};

}  // namespace

std::unique_ptr<Peer> Peer::start(const std::string& bus) {
  if (options().processes) return std::make_unique<ProcessPeer>(bus);
  return std::make_unique<InstancePeer>(bus);
}

int run_peer(const std::string& bus) {
  Member member(bus);
  const evs_ordered_member who = member.who();
  std::cout << who.nodeid << " " << who.pid << " " << who.incarnation << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, group, tag;
    uint32_t count = 0;
    words >> verb >> group >> tag >> count;
    if (verb == "send") send_all(member, group, tag, count);
    if (verb == "leave") member.stop();
    std::cout << "done" << std::endl;
  }
  return 0;
}

}  // namespace evs::conformance
