// SPDX-License-Identifier: BSD-3-Clause
// tests/scenarios/limits/peer_process.cc - posix_spawn and two pipes.
#include "tests/scenarios/limits/peer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

extern char** environ;

namespace evs::limits {

PeerProcess::PeerProcess(std::vector<std::string> through) {
  through.emplace_back(EVS_LIMITS_PEER);
  std::vector<char*> arguments;
  for (std::string& word : through) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  const int error = posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_ = in[1];
  from_ = out[0];
  if (error != 0) pid_ = -1;
  ready_ = error == 0 && read_line(60000) == "ready";
}

PeerProcess::~PeerProcess() {
  if (to_ >= 0) close(to_);
  if (from_ >= 0) close(from_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string PeerProcess::read_line(int limit_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  for (;;) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd wish{from_, POLLIN, 0};
    if (left <= 0 || poll(&wish, 1, static_cast<int>(left)) == 0) return "silent: no answer in time";
    char bytes[4096];
    const ssize_t got = read(from_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return "died: " + end();
    buffer_.append(bytes, static_cast<size_t>(got));
  }
}

std::string PeerProcess::ask(const std::string& command, int limit_ms) {
  const std::string line = command + "\n";
  // A peer that is gone is an answer, not a signal for the test.
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const bool sent = write(to_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const timespec at_once{};
  if (!sent) sigtimedwait(&pipe_signal, nullptr, &at_once);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return sent ? read_line(limit_ms) : "died: " + end();
}

void PeerProcess::wait_until_polling() const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (std::string line; line.rfind("7 ", 0) != 0 && std::chrono::steady_clock::now() < end; std::this_thread::yield()) {
    std::ifstream call("/proc/" + std::to_string(pid_) + "/syscall");
    std::getline(call, line);
  }
}

void PeerProcess::kill(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);
}

std::string PeerProcess::end() {
  if (pid_ <= 0) return "never lived";
  int status = 0;
  pid_t waited;
  do waited = waitpid(pid_, &status, 0);
  while (waited < 0 && errno == EINTR);
  pid_ = -1;
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace evs::limits
