// SPDX-License-Identifier: BSD-3-Clause
// tests/support/driven.cc - see driven.h.
#include "tests/support/driven.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace evs::test {

Driven::~Driven() {
  if (alive()) kill();
}

void Driven::start(const std::function<pid_t(int, int)>& launch) {
  ::signal(SIGPIPE, SIG_IGN);  // who is dead is said to be so
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = launch(in[0], out[1]);
  close(in[0]);
  close(out[1]);
  to_ = in[1];
  from_ = out[0];
  unread_.clear();
}

void Driven::tell(const std::string& line) {
  const std::string whole = line + "\n";
  if (write(to_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
    throw std::runtime_error("process " + std::to_string(pid_) + " does not listen: it is dead, or was never there");
}

bool Driven::answer(std::string& line, int patience_ms) {
  for (;;) {
    if (const size_t end = unread_.find('\n'); end != std::string::npos) {
      line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return true;
    }
    pollfd fd{from_, POLLIN, 0};
    if (poll(&fd, 1, patience_ms) <= 0) return false;
    char buffer[512];
    const ssize_t got = read(from_, buffer, sizeof buffer);
    if (got <= 0) return false;
    unread_.append(buffer, static_cast<size_t>(got));
  }
}

void Driven::signal(int number) const { ::kill(pid_, number); }

void Driven::kill() {
  signal(SIGKILL);
  wait();
}

bool Driven::has_ended(int& code, int& status) const {
  siginfo_t end{};
  if (!alive() || waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid != pid_) return false;
  code = end.si_code;
  status = end.si_status;
  return true;
}

void Driven::wait() {
  waitpid(pid_, nullptr, 0);
  close(to_);
  close(from_);
  pid_ = 0;
}

}  // namespace evs::test
