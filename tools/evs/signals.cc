// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/signals.cc - see signals.h.
#include "tools/evs/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

namespace evs::tools {

LeaveSignals::LeaveSignals() {
  sigemptyset(&taken_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // Blocked, it would be queued although it is ignored.
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) sigaddset(&taken_, number);
  }
  pthread_sigmask(SIG_BLOCK, &taken_, nullptr);
  signal(SIGPIPE, SIG_IGN);
  descriptor_ = signalfd(-1, &taken_, SFD_CLOEXEC | SFD_NONBLOCK);
}

LeaveSignals::~LeaveSignals() {
  restore();
  if (descriptor_ >= 0) close(descriptor_);
}

bool LeaveSignals::take() {
  signalfd_siginfo info;
  if (read(descriptor_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return false;
  restore();
  return true;
}

void LeaveSignals::restore() {
  pthread_sigmask(SIG_UNBLOCK, &taken_, nullptr);
}

}  // namespace evs::tools
