// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/futex.h - sleeping on a word, and the small locks beside it.
//
// Own locks rather than std::mutex for three reasons. A dispatch that finds one message takes two of them, so they must
// cost one atomic operation to take and one to release. The child of a fork() simply abandons them, held or not. And the
// callback lock is recursive for its thread and can be tried, with an owner that may be asked for.
//
//   LOCK  word_: taken and given back with sequential consistency (free where the processor has a locked exchange): a flag that
//         was set before a try_lock() failed is seen by the holder after its unlock().
#pragma once

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace evs::runtime {

inline uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// Sleeps while `word` holds `expected`, at most timeout_ns (UINT64_MAX: no limit). Spurious returns are possible. Leaves errno
// alone: it may run in a signal handler.
inline void futex_wait(std::atomic<uint32_t>& word, uint32_t expected, uint64_t timeout_ns) {
  const int saved = errno;
  timespec limit{static_cast<time_t>(timeout_ns / 1'000'000'000u), static_cast<long>(timeout_ns % 1'000'000'000u)};
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, expected,
          timeout_ns == UINT64_MAX ? nullptr : &limit, nullptr, 0);
  errno = saved;
}

inline void futex_wake(std::atomic<uint32_t>& word, int count) {
  const int saved = errno;
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  errno = saved;
}

class FutexLock {
 public:
  bool try_lock() {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(expected, kHeld);  // LOCK
  }
  void lock() {
    if (!try_lock()) lock_slowly();
  }
  void unlock() {
    if (word_.exchange(kFree) == kContended) futex_wake(word_, 1);  // LOCK
  }

 private:
  static constexpr uint32_t kFree = 0, kHeld = 1, kContended = 2;

  void lock_slowly() {
    while (word_.exchange(kContended) != kFree) futex_wait(word_, kContended, UINT64_MAX);
  }

  std::atomic<uint32_t> word_{kFree};
};

// For a few microseconds at most: given back with a plain store, because who waits looks again by itself instead of being woken. It
// is taken for every read, so the second atomic operation is worth saving.
class ShortLock {
 public:
  bool try_lock() { return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire); }  // LOCK
  void lock() {
    if (!try_lock()) lock_slowly();
  }
  void unlock() { held_.store(false, std::memory_order_release); }  // LOCK

 private:
  void lock_slowly() {
    for (uint32_t turn = 0; !try_lock(); ++turn) {
      if (turn < 64) {
        sched_yield();
      } else {
        const timespec pause{0, 20'000};  // its holder was preempted, and perhaps we are the ones in its way
        syscall(SYS_nanosleep, &pause, nullptr);  // raw: no cancellation point
      }
    }
  }

  std::atomic<bool> held_{false};
};

// Recursive for its thread. `Me` is an address that is this thread's alone.
class RecursiveLock {
 public:
  using Me = const void*;

  bool held_by(Me me) const { return owner_.load(std::memory_order_relaxed) == me; }  // only we store our own name
  bool try_lock(Me me) {
    if (!held_by(me)) {
      if (!lock_.try_lock()) return false;
      owner_.store(me, std::memory_order_relaxed);
    }
    ++depth_;
    return true;
  }
  void lock(Me me) {
    if (!held_by(me)) {
      lock_.lock();
      owner_.store(me, std::memory_order_relaxed);
    }
    ++depth_;
  }
  void unlock() {
    if (--depth_ > 0) return;
    owner_.store(nullptr, std::memory_order_relaxed);
    lock_.unlock();
  }
  uint32_t depth() const { return depth_; }  // for its holder

 private:
  FutexLock lock_;
  std::atomic<Me> owner_{nullptr};
  uint32_t depth_ = 0;
};

}  // namespace evs::runtime
