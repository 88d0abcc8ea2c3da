// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/presence.cc - the pool of records, the barrier, the wait.
#include "bus/runtime/presence.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "bus/runtime/futex.h"

#if defined(__SANITIZE_THREAD__)
#define EVS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EVS_TSAN 1
#endif
#endif

namespace evs::runtime::presence {

thread_local PresenceRecord* t_record = nullptr;
std::atomic<bool> g_fence_on_entry{true};

namespace {

PresenceRecord g_records[kPresenceRecords];
std::atomic<uint32_t> g_used{0};  // records at or past this index were never taken

bool take(uint32_t index, int32_t thread_id) {
  PresenceRecord& record = g_records[index];
  int32_t owner = record.owner.load(std::memory_order_relaxed);
  if (owner != 0 && owner != thread_id) {
    // Its thread may have ended: a record is not given back, because a destructor of thread-local data is not something that a
    // signal handler can register.
    if (syscall(SYS_tgkill, getpid(), owner, 0) == 0 || errno != ESRCH) return false;
  }
  if (!record.owner.compare_exchange_strong(owner, thread_id, std::memory_order_acq_rel)) return false;
  for (auto& cell : record.inside) cell.store(nullptr, std::memory_order_relaxed);
  record.depth.store(0, std::memory_order_relaxed);
  t_record = &record;
  return true;
}

bool take_fresh(int32_t thread_id) {
  uint32_t index = g_used.load(std::memory_order_relaxed);
  while (index < kPresenceRecords) {
    if (!g_used.compare_exchange_weak(index, index + 1, std::memory_order_acq_rel)) continue;
    if (take(index, thread_id)) return true;
    index = g_used.load(std::memory_order_relaxed);
  }
  return false;
}

}  // namespace

PresenceRecord* claim_record() {
  const int saved = errno;
  const auto me = static_cast<int32_t>(syscall(SYS_gettid));
  bool taken = false;
  // Records of ended threads first while there are few: a program that starts a thread per request stays in a handful.
  const uint32_t used = g_used.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used && i < 64 && !taken; ++i) taken = take(i, me);
  if (!taken) taken = take_fresh(me);
  for (uint32_t i = 64; i < used && !taken; ++i) taken = take(i, me);
  errno = saved;
  return taken ? t_record : nullptr;
}

void prepare() {
#ifndef EVS_TSAN  // which knows no membarrier
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
      syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) {
    g_fence_on_entry.store(false, std::memory_order_relaxed);
  }
#endif
}

void heavy_barrier() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (g_fence_on_entry.load(std::memory_order_relaxed)) return;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  // The kernel does not let us any more (a seccomp filter that came later): from now on each entry fences. Those who entered before they could
  // see that have their stores out of their buffers long before this sleep is over.
  g_fence_on_entry.store(true, std::memory_order_seq_cst);
  const timespec pause{0, 100'000};
  syscall(SYS_nanosleep, &pause, nullptr);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool is_inside(bool (*concerns)(const Handle*, const void*), const void* context, bool but_not_me) {
  const uint32_t used = g_used.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used; ++i) {
    if (but_not_me && &g_records[i] == t_record) continue;
    for (auto& cell : g_records[i].inside) {
      const Handle* handle = cell.load(std::memory_order_seq_cst);  // SEEN, DONE
      if (handle != nullptr && concerns(handle, context)) return true;
    }
  }
  return false;
}

void wait_until_outside(bool (*concerns)(const Handle*, const void*), const void* context) {
  heavy_barrier();
  const uint32_t used = g_used.load(std::memory_order_acquire);
  // Each cell once: who enters after the barrier sees the gate and goes, however often he tries again.
  for (uint32_t i = 0; i < used; ++i) {
    for (auto& cell : g_records[i].inside) {
      for (uint32_t turn = 0;; ++turn) {
        const Handle* handle = cell.load(std::memory_order_seq_cst);  // SEEN, DONE
        if (handle == nullptr || !concerns(handle, context)) break;
        if (turn < 100) {
          sched_yield();
        } else {
          const timespec pause{0, 50'000};  // someone inside was preempted, or waits for room a slice long
          nanosleep(&pause, nullptr);
        }
      }
    }
  }
}

SendTotals sent(uint32_t bus_slot) {
  SendTotals totals;
  const uint32_t used = g_used.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used; ++i) totals.add(g_records[i].sent[bus_slot]);
  return totals;
}

void clear_sent(uint32_t bus_slot) {
  const uint32_t used = g_used.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < used; ++i) {
    SendCounts& counts = g_records[i].sent[bus_slot];
    counts.messages.store(0, std::memory_order_relaxed);
    counts.bytes.store(0, std::memory_order_relaxed);
    for (auto& refused : counts.refused) refused.store(0, std::memory_order_relaxed);
  }
}

void after_fork_in_child() {
  const auto me = static_cast<int32_t>(syscall(SYS_gettid));
  const uint32_t used = g_used.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < used; ++i) {
    PresenceRecord& record = g_records[i];
    for (auto& cell : record.inside) cell.store(nullptr, std::memory_order_relaxed);
    if (&record == t_record) {
      record.owner.store(me, std::memory_order_relaxed);  // its depth stays: the call that forked unwinds over it
    } else {
      record.depth.store(0, std::memory_order_relaxed);
      record.owner.store(0, std::memory_order_relaxed);
    }
  }
  for (uint32_t slot = 0; slot < kCountedBuses; ++slot) clear_sent(slot);
  g_fence_on_entry.store(true, std::memory_order_relaxed);  // until prepare() has registered this process
}

}  // namespace evs::runtime::presence
