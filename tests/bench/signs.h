// SPDX-License-Identifier: BSD-3-Clause
// signs.h - one-byte signs from child to parent or back: what a round waits for when it is not measuring.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "tests/bench/crew.h"

namespace evs::bench {

class SignPipe {
 public:
  SignPipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) throw Malfunction("pipe");
  }
  ~SignPipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  SignPipe(const SignPipe&) = delete;
  SignPipe& operator=(const SignPipe&) = delete;

  void write(char sign) const {
    if (::write(ends_[1], &sign, 1) != 1) _exit(1);  // the other side is gone
  }

  // For a child: waits as long as it takes; its parent's end is its own.
  char read() const {
    char sign = 0;
    return ::read(ends_[0], &sign, 1) == 1 ? sign : '\0';
  }

  // For the parent: until a sign comes, or a member of the crew leaves, or nothing happens for far too long.
  char read(Crew& crew) const {
    pollfd one{ends_[0], POLLIN, 0};
    for (int waited = 0; waited < kSilenceMs; waited += kGlanceMs) {
      if (poll(&one, 1, kGlanceMs) > 0) return read();
      crew.check();
    }
    throw Malfunction("a sign was waited for in vain for 20 s");
  }

 private:
  static constexpr int kSilenceMs = 20'000;
  static constexpr int kGlanceMs = 200;  // between looks at whether everybody still lives
  int ends_[2];
};

}  // namespace evs::bench
