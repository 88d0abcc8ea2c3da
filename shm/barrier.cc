// SPDX-License-Identifier: BSD-3-Clause
// shm/barrier.cc - the calls of membarrier(2).
#include "shm/barrier.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#define EVS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EVS_TSAN 1
#endif
#endif

namespace evs::shm {

bool register_for_barriers() {
#ifdef EVS_TSAN  // which knows no membarrier
  return false;
#else
  const int saved = errno;
  const bool done = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0 &&
                    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
  errno = saved;
  return done;
#endif
}

bool barrier_everywhere() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const int saved = errno;
  const bool done = syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
  errno = saved;
  return done;
}

}  // namespace evs::shm
