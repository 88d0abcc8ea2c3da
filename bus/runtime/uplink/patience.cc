// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/patience.cc - see patience.h.
#include "bus/runtime/uplink/patience.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <system_error>
#include <thread>

namespace evs::runtime::uplink {

bool Patience::Task::is_left() const {
  if (!shared_) return false;
  const std::lock_guard hold(shared_->mutex);
  return is_left_;
}

void Patience::end_at(uint64_t ns) {
  const std::lock_guard hold(shared_->mutex);
  shared_->end_ns = ns;
  shared_->changed.notify_all();
}

// The host application's signals are none of its business. False: there is no thread to be had.
bool Patience::start(std::function<void()> work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void Patience::end(Task& task) {
  const std::lock_guard hold(task.shared_->mutex);
  task.is_over_ = true;
  task.shared_->changed.notify_all();
}

// True: it has come to its end.
bool Patience::is_awaited(Task& task) {
  using Clock = std::chrono::steady_clock;
  std::unique_lock lock(shared_->mutex);
  while (!task.is_over_) {
    if (shared_->end_ns == UINT64_MAX) {
      shared_->changed.wait(lock);
      continue;
    }
    const Clock::time_point end{std::chrono::nanoseconds(shared_->end_ns)};
    if (Clock::now() >= end) {
      task.is_left_ = true;
      return false;
    }
    shared_->changed.wait_until(lock, end);
  }
  return true;
}

}  // namespace evs::runtime::uplink
