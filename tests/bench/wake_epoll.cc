// SPDX-License-Identifier: BSD-3-Clause
// wake_epoll.cc - both sleep in epoll_wait on the descriptor of evs_fd_get, as an event loop does.
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "tests/bench/wake.h"

namespace evs::bench {

namespace {

constexpr int kSilenceMs = 5000;  // nothing for this long is a lost bell

void run_event_loop(Member& member, const WakePlayer& player) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, member.descriptor(), &event) != 0) {
    throw Malfunction("the descriptor of evs_fd_get cannot be watched");
  }
  while (!player.over()) {
    const int ready = epoll_wait(epoll, &event, 1, kSilenceMs);
    if (ready == 0) throw Malfunction("the descriptor of evs_fd_get stayed silent for 5 s with a message due");
    if (ready < 0 && errno != EINTR) throw Malfunction("epoll_wait");
    member.dispatch(CS_DISPATCH_ALL);
  }
  close(epoll);
}

}  // namespace

std::vector<Outcome> measure_wake_epoll(const Plan& plan) {
  return measure_wake(plan, "eventfd and epoll", TargetId::wake_epoll, TargetId::wake_epoll_quiet, probe_epoll, false,
                      run_event_loop);
}

}  // namespace evs::bench
