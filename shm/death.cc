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

void RobustFutex::hold(Slot& slot) {
  // A list of one: head -> node -> head. The kernel walks it when the thread ends, by exit, exec or kill, and marks the word at node +
  // offset if it holds this thread's id. The C library's own list is put back in let_go().
  syscall(SYS_get_robust_list, 0, &replaced_, &replaced_size_);
  head_.futex_offset = static_cast<long>(reinterpret_cast<char*>(&slot.robust_futex) - reinterpret_cast<char*>(&slot.robust_next));
  head_.pending = nullptr;
  head_.list = &slot.robust_next;
  slot.robust_next.store(reinterpret_cast<uint64_t>(&head_), std::memory_order_relaxed);
  slot.robust_futex.store(static_cast<uint32_t>(syscall(SYS_gettid)), std::memory_order_seq_cst);
  syscall(SYS_set_robust_list, &head_, sizeof head_);
}

void RobustFutex::let_go(Slot& slot) {
  if (replaced_ != nullptr) syscall(SYS_set_robust_list, replaced_, replaced_size_);
  slot.robust_futex.store(0, std::memory_order_seq_cst);
}

}  // namespace evs::shm
