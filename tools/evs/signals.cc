// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/signals.cc - see signals.h.
#include "tools/evs/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace evs::tools {

namespace {

sigset_t leave_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

LeaveSignals::LeaveSignals() {
  const sigset_t set = leave_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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
  const sigset_t set = leave_set();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace evs::tools
