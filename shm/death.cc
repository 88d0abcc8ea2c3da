// SPDX-License-Identifier: BSD-3-Clause
// shm/death.cc - asks the kernel.
#include "shm/death.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace evs::shm {

namespace {

// The text behind the command name, which may itself hold blanks and parentheses.
bool read_stat(pid_t pid, char* text, size_t size, const char*& after_name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, text, size - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = 0;
  const char* end = strrchr(text, ')');
  if (end == nullptr || end[1] != ' ') return false;
  after_name = end + 2;
  return true;
}

}  // namespace

char process_state(pid_t pid) {
  char text[1024];
  const char* p = nullptr;
  return read_stat(pid, text, sizeof text, p) ? *p : 0;
}

uint64_t process_start_time(pid_t pid) {
  char text[1024];
  const char* p = nullptr;
  if (!read_stat(pid, text, sizeof text, p)) return 0;
  for (int field = 3; field < 22; ++field) {
    p = strchr(p, ' ');
    if (p == nullptr) return 0;
    ++p;
  }
  return strtoull(p, nullptr, 10);
}

Pulse open_pidfd(pid_t pid, uint64_t start_time, int& fd) {
  fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno == ESRCH ? Pulse::dead : Pulse::unknown;
  // The pid may have been taken by another process since; with the pidfd in hand its start time cannot change any more.
  const uint64_t started = process_start_time(pid);
  if (started == start_time) return Pulse::alive;
  if (started == 0 && !pidfd_readable(fd)) return Pulse::alive;  // /proc did not answer; the pidfd will
  close(fd);
  fd = -1;
  return Pulse::dead;
}

bool pidfd_readable(int fd) {
  pollfd p{fd, POLLIN, 0};
  int r;
  do r = poll(&p, 1, 0);
  while (r < 0 && errno == EINTR);
  return r == 1 && (p.revents & POLLIN) != 0;
}

bool robust_owner_died(const Slot& slot) {
  return (slot.robust_futex.load(std::memory_order_acquire) & FUTEX_OWNER_DIED) != 0;
}

Pulse pulse_of(const Segment& segment, uint32_t slot, const LockFile& locks) {
  const Slot& s = segment.slot(slot);
  int fd = -1;
  const Pulse pulse = open_pidfd(s.pid.load(std::memory_order_relaxed), s.start_time.load(std::memory_order_relaxed), fd);
  bool dead = pulse == Pulse::dead;
  if (fd >= 0) {
    dead = pidfd_readable(fd);
    close(fd);
  }
  if (!dead && robust_owner_died(s) && !locks.inhabited(slot)) dead = true;
  return dead ? Pulse::dead : pulse;
}

namespace {

// What the kernel walks when the thread ends, by exit, exec or kill: head -> node -> ... -> head. It marks the word at node + futex_offset if that
// holds this thread's id.
struct RobustList {
  struct Head {
    void* first;
    long futex_offset;
    void* pending;
  };
  Head head{};
  void* replaced = nullptr;  // the C library's list of this thread
  size_t replaced_size = 0;
  std::vector<Slot*> nodes;  // in the order of the list: the links stand in shared memory and are never read by us
  std::atomic<bool> taken{true};
  RobustList* older = nullptr;
};

// On the heap and not in the thread's own memory: the kernel reads it after that is gone, if the thread ends with slots held.
thread_local RobustList* t_robust = nullptr;
// All that were ever made: one that was let go of serves the next thread, one that its thread took along stays.
std::atomic<RobustList*> g_robust_lists{nullptr};

RobustList* take_robust_list() {
  for (RobustList* list = g_robust_lists.load(std::memory_order_acquire); list != nullptr; list = list->older)
    if (!list->taken.exchange(true, std::memory_order_acquire)) return list;
  auto* const fresh = new RobustList;
  fresh->older = g_robust_lists.load(std::memory_order_relaxed);
  while (!g_robust_lists.compare_exchange_weak(fresh->older, fresh, std::memory_order_release)) {}
  return fresh;
}

}  // namespace

void RobustFutex::hold(Slot& slot) {
  if (t_robust == nullptr) t_robust = take_robust_list();
  RobustList& list = *t_robust;
  list.nodes.insert(list.nodes.begin(), &slot);
  const bool only = list.nodes.size() == 1;
  if (only) {
    syscall(SYS_get_robust_list, 0, &list.replaced, &list.replaced_size);
    list.head.futex_offset = static_cast<long>(offsetof(Slot, robust_futex)) - static_cast<long>(offsetof(Slot, robust_next));
  }
  void* const next = only ? static_cast<void*>(&list.head) : static_cast<void*>(&list.nodes[1]->robust_next);
  slot.robust_next.store(reinterpret_cast<uint64_t>(next), std::memory_order_relaxed);
  slot.robust_futex.store(static_cast<uint32_t>(syscall(SYS_gettid)), std::memory_order_seq_cst);
  // The list is whole before and after this one store: the kernel may walk it at any moment, on this very thread.
  __atomic_store_n(&list.head.first, static_cast<void*>(&slot.robust_next), __ATOMIC_SEQ_CST);
  if (only) syscall(SYS_set_robust_list, &list.head, sizeof list.head);
}

void RobustFutex::let_go(Slot& slot) {
  RobustList* const list = t_robust;
  const auto node = list == nullptr ? std::vector<Slot*>::iterator{} : std::find(list->nodes.begin(), list->nodes.end(), &slot);
  if (list != nullptr && node != list->nodes.end()) {
    const auto after = node + 1;
    void* const next = after == list->nodes.end() ? static_cast<void*>(&list->head) : static_cast<void*>(&(*after)->robust_next);
    if (list->nodes.size() == 1) {
      syscall(SYS_set_robust_list, list->replaced, list->replaced_size);
    } else if (node == list->nodes.begin()) {
      __atomic_store_n(&list->head.first, next, __ATOMIC_SEQ_CST);
    } else {
      (*(node - 1))->robust_next.store(reinterpret_cast<uint64_t>(next), std::memory_order_seq_cst);
    }
    list->nodes.erase(node);
    if (list->nodes.empty()) {
      list->taken.store(false, std::memory_order_release);
      t_robust = nullptr;
    }
  }
  slot.robust_futex.store(0, std::memory_order_seq_cst);
}

void forget_robust_list() { t_robust = nullptr; }

}  // namespace evs::shm
