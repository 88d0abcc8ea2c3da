// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/bell.h - what a sleeping thread listens to: a count, and a futex on it.
//
// The sleeper reads the count while it holds the medium's lock and finds nothing to do; whoever makes something to do
// holds the same lock, so a ring between the look and the sleep changes the count and the sleep does not begin. A futex
// and not a condition variable, because ring() happens inside append(), which may run in a signal handler.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace evs::loopback {

inline constexpr uint64_t kNever = UINT64_MAX;

inline uint64_t now_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// The instant `timeout_ns` from now; kNever for timeouts beyond the end of the clock.
inline uint64_t deadline_after(uint64_t timeout_ns) noexcept {
  const uint64_t now = now_ns();
  return timeout_ns > kNever - now ? kNever : now + timeout_ns;
}

class Bell {
 public:
  uint32_t count() const noexcept { return count_.load(std::memory_order_acquire); }

  void ring() noexcept {
    const int kept = errno;  // a signal handler must not change what the interrupted code looks at
    count_.fetch_add(1, std::memory_order_release);
    syscall(SYS_futex, &count_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    errno = kept;
  }

  // Sleeps while the count is still `heard`. False: the deadline has come. A true may be for nothing: look again.
  bool sleep(uint32_t heard, uint64_t deadline_ns) noexcept {
    timespec until{};
    until.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000u);
    until.tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000u);
    const long result = syscall(SYS_futex, &count_, FUTEX_WAIT_BITSET_PRIVATE, heard,
                                deadline_ns == kNever ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    return result == 0 || errno != ETIMEDOUT;
  }

 private:
  std::atomic<uint32_t> count_{0};
  static_assert(sizeof(count_) == 4, "a futex is a word of 4 bytes");
};

}  // namespace evs::loopback
