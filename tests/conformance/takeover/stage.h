// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/takeover/stage.h - who starts players, waits for what they tell, and kills them.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/role.h"
#include "tests/conformance/takeover/board.h"

extern char** environ;

namespace evs::conformance {

class Player {
 public:
  explicit Player(std::vector<std::string> words, const std::string& crash_at = "", const std::string& crash_by = "") {
    words.insert(words.begin(), {options().self, options().directory, "--play"});
    std::vector<std::string> environment;
    for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
    if (!crash_at.empty()) environment.push_back("EVS_CRASH_AT=" + crash_at);
    if (!crash_by.empty()) environment.push_back("EVS_CRASH_BY=" + crash_by);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> all;
      for (std::string& text : texts) all.push_back(text.data());
      all.push_back(nullptr);
      return all;
    };
    if (posix_spawn(&pid_, options().self.c_str(), nullptr, nullptr, pointers(words).data(), pointers(environment).data()) != 0)
      throw std::runtime_error("no player");
  }
  Player(const Player&) = delete;
  ~Player() { die(); }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // Has it ended? Its wait status is in `status`.
  bool ended() {
    if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
    return pid_ < 0;
  }
  bool stopped() const {
    int seen = 0;
    return waitpid(pid_, &seen, WNOHANG | WUNTRACED) == pid_ && WIFSTOPPED(seen);
  }
  void die() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, &status, 0);
    pid_ = -1;
  }
  int status = 0;

 private:
  pid_t pid_ = -1;
};

class Takeover : public testing::Test {
 protected:
  Takeover() : board_path_(options().directory + "/" + bus_ + ".board"), board(open_board(board_path_)) {}
  ~Takeover() override {
    if (board.faulty != 0) ADD_FAILURE() << board.fault;
  }
  std::unique_ptr<Player> player(std::vector<std::string> words, const std::string& crash_at = "", const std::string& crash_by = "") {
    words.insert(words.begin() + 1, {board_path_, bus_});
    return std::make_unique<Player>(std::move(words), crash_at, crash_by);
  }
  void start_writers() {
    for (uint32_t i = 0; i < kWriters; ++i) writers_.push_back(player({"writer", std::to_string(i)}));
  }
  std::unique_ptr<Player> gateway(const std::string& crash_at = "") {
    opened_before_ = board.opened;
    return player({"gateway", std::to_string(++seed_)}, crash_at);
  }
  bool well() const { return board.faulty == 0; }
  // Nobody reads: until each writer was refused again and again.
  void until_full() {
    uint64_t before[kWriters];
    for (uint32_t i = 0; i < kWriters; ++i) before[i] = board.refused[i];
    for (uint32_t i = 0; i < kWriters; ++i) ASSERT_TRUE(until([&] { return board.refused[i] >= before[i] + 3; }));
  }
  std::string unread() const {
    std::string text;
    for (uint32_t i = 0; i < kWriters; ++i)
      text += "writer " + std::to_string(i) + " has written " + std::to_string(board.written[i]) + ", read is up to " + std::to_string(board.seen_next[i]) + "; ";
    return text + std::to_string(board.read_total) + " read in all";
  }
  // The last gateway reads all that was ever written. It must be there before the writers go: a ring that nobody is on any more is made anew by who comes next.
  void settle(Player& last) {
    ASSERT_TRUE(until([&] { return board.opened > opened_before_ || !well(); }));
    board.writers_finish = 1;
    for (auto& writer : writers_) EXPECT_TRUE(until([&] { return writer->ended(); }));
    EXPECT_TRUE(until([&] {
      bool all = true;
      for (uint32_t i = 0; i < kWriters; ++i) all = all && board.seen_next[i] == board.written[i];
      return all || !well();
    })) << unread();
    board.gateway_finishes = 1;
    EXPECT_TRUE(until([&] { return last.ended(); }));
    EXPECT_EQ(last.status, 0);
  }

  const std::string bus_ = fresh_bus();
  const std::string board_path_;
  Board& board;
  std::vector<std::unique_ptr<Player>> writers_;
  uint32_t seed_ = 0;
  uint64_t opened_before_ = 0;  // the role, by who came before the last gateway
};

}  // namespace evs::conformance
