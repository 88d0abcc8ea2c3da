// SPDX-License-Identifier: BSD-3-Clause
// tests/support/driven.h - a process of a test that obeys lines on its standard input and answers with lines on its standard output.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace evs::test {

class Driven {
 public:
  Driven() = default;
  Driven(const Driven&) = delete;
  Driven& operator=(const Driven&) = delete;
  ~Driven();

  bool alive() const { return pid_ != 0; }
  pid_t pid() const { return pid_; }
  // `launch` starts it with these as its standard input and output.
  void start(const std::function<pid_t(int input, int output)>& launch);
  void tell(const std::string& line);  // throws when it does not listen
  // False: not within the patience, or it is gone.
  bool answer(std::string& line, int patience_ms);
  void signal(int number) const;
  void kill();  // SIGKILL, and waits
  void wait();  // for its own end
  // It is gone, and nobody has waited for it yet; `code` as waitid() gives it, CLD_EXITED or how it was killed.
  bool has_ended(int& code, int& status) const;

 private:
  pid_t pid_ = 0;
  int to_ = -1, from_ = -1;
  std::string unread_;
};

}  // namespace evs::test
