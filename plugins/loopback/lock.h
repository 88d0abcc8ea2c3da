// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/lock.h - the one lock of the medium, and why it is not a std::mutex.
//
// append() may be called from a signal handler. A handler that interrupts a thread which holds the lock would wait for
// itself for ever, so the lock must know its owner; and the owner must be known from the very instruction that takes
// it, so the owner *is* the lock word. Everything here is async-signal-safe: one atomic word, pthread_self(),
// sched_yield().
//
// It is held for a copy of one frame at most, never while code of the host judges frames, so waiters just yield.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <atomic>

namespace evs::loopback {

class OwnerLock {
 public:
  // False: this very thread holds it; we are in a signal handler that interrupted it.
  bool lock() noexcept {
    const pthread_t self = pthread_self();
    for (;;) {
      pthread_t owner = 0;
      if (owner_.compare_exchange_weak(owner, self, std::memory_order_acquire, std::memory_order_relaxed)) return true;
      if (owner == self) return false;
      if (owner != 0) sched_yield();
    }
  }
  void unlock() noexcept { owner_.store(0, std::memory_order_release); }

 private:
  std::atomic<pthread_t> owner_{0};
};

class [[nodiscard]] Hold {
 public:
  explicit Hold(OwnerLock& lock) noexcept : lock_(lock), held_(lock.lock()) {}
  ~Hold() {
    if (held_) lock_.unlock();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  bool nested() const noexcept { return !held_; }  // only possible below append()

 private:
  OwnerLock& lock_;
  const bool held_;
};

}  // namespace evs::loopback
