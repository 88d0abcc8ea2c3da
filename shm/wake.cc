// SPDX-License-Identifier: BSD-3-Clause
// shm/wake.cc - arming and ringing. System calls are made raw: they are no cancellation points, and errno is put back, because this
// runs inside sends, which may run in a signal handler.
#include "shm/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/barrier.h"
#include "shm/clock.h"
#include "shm/crash_point.h"
#include "shm/record.h"
#include "shm/slots.h"

namespace evs::shm {

namespace {

class KeepErrno {
 public:
  ~KeepErrno() { errno = saved_; }

 private:
  int saved_ = errno;
};

// No stdio: not for signal handlers.
void append_hex(char* to, uint64_t n) {
  for (int i = 15; i >= 0; --i, n >>= 4) to[i] = "0123456789abcdef"[n & 15];
  to[16] = 0;
}

}  // namespace

int futex_wait(std::atomic<uint32_t>& word, uint32_t seen, uint64_t timeout_ns) {
  KeepErrno keep;
  timespec timeout{static_cast<time_t>(timeout_ns / 1000000000), static_cast<long>(timeout_ns % 1000000000)};
  const long r = syscall(SYS_futex, &word, FUTEX_WAIT, seen, timeout_ns == UINT64_MAX ? nullptr : &timeout, nullptr, 0);
  return r == 0 || errno == EAGAIN ? 0 : errno;
}

void futex_wake(std::atomic<uint32_t>& word) {
  KeepErrno keep;
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::string bell_name(const std::string& bus, uint64_t bell) {
  char hex[17];
  append_hex(hex, bell);
  return bus + ".bell." + hex;
}

void BellOpener::bind(int directory_fd, const std::string& bus) {
  directory_fd_ = directory_fd;
  snprintf(prefix_, sizeof prefix_, "%s.bell.", bus.c_str());
}

void BellOpener::close_all() {
  for (Entry& e : entries_) {
    if (e.fd >= 0) close(e.fd);
    e.fd = -1;
    e.bell = 0;
  }
}

int BellOpener::open_bell(uint64_t bell) const {
  char name[80];
  size_t n = strnlen(prefix_, sizeof prefix_);
  memcpy(name, prefix_, n);
  append_hex(name + n, bell);
  return static_cast<int>(syscall(SYS_openat, directory_fd_, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0));
}

bool BellOpener::ring(uint64_t bell) {
  if (bell == 0) return true;
  KeepErrno keep;
  Entry& e = entries_[(bell ^ (bell >> 8)) % kRemembered];
  if (e.busy.exchange(1, std::memory_order_acquire) != 0) {
    // Another thread, or the one that this signal handler interrupted, has the entry: ring without it.
    const int fd = open_bell(bell);
    if (fd < 0) return errno == ENOENT;
    syscall(SYS_write, fd, "!", 1);
    syscall(SYS_close, fd);
    return true;
  }
  if (e.bell != bell) {
    // Forgotten before it is closed: a child of a fork() in between would close whatever has the number by then.
    const int stale = e.fd;
    e.fd = -1;
    e.bell = 0;
    if (stale >= 0) syscall(SYS_close, stale);
    e.fd = open_bell(bell);
    e.bell = e.fd >= 0 ? bell : 0;
  }
  const bool rung = e.fd >= 0 || errno == ENOENT;  // its owner is gone
  if (e.fd >= 0) syscall(SYS_write, e.fd, "!", 1);
  e.busy.store(0, std::memory_order_release);
  return rung;
}

void Bells::arm(uint32_t slot, uint32_t cursor, uint32_t how) {
  Slot& s = segment_->slot(slot);
  s.cursors[cursor].armed.fetch_or(how, std::memory_order_seq_cst);
  s.armed_cursors[cursor / 64].fetch_or(1ull << (cursor % 64), std::memory_order_seq_cst);
  segment_->hot().armed_slots[slot / 64].fetch_or(1ull << (slot % 64), std::memory_order_seq_cst);
  if (barrier_everywhere()) return;  // SLEEP
  // The kernel does not let us (any more): from now on senders fence. Those who looked before they could see that have their commits out of their
  // store buffers long before this sleep is over.
  segment_->hot().fences_wanted.store(1, std::memory_order_seq_cst);
  KeepErrno keep;
  const timespec pause{0, 100'000};
  syscall(SYS_nanosleep, &pause, nullptr);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool Bells::concerns(const CursorCell& cell, const void* groups, uint32_t group_count) const {
  const auto* key = static_cast<const unsigned char*>(groups);
  for (uint32_t i = 0; i < group_count; ++i, key += kGroupBytes) {
    const FilterBits bits(group_hash(key));
    const uint64_t a = cell.filter[bits.first / 64].load(std::memory_order_relaxed) >> (bits.first % 64);
    const uint64_t b = cell.filter[bits.second / 64].load(std::memory_order_relaxed) >> (bits.second % 64);
    if ((a & b & 1) != 0) return true;
  }
  return false;
}

// The slot's bit stays set for the slot's life once somebody in it has slept: a sender then looks at the slot's four words, a line that it
// shares until somebody sleeps there again. Clearing it would need to know that nobody arms at that moment, or wake who does.
void Bells::ring_slot(uint32_t slot, bool everybody, const void* groups, uint32_t group_count) {
  Slot& s = segment_->slot(slot);
  for (uint32_t w = 0; w < kCursors / 64; ++w) {
    uint64_t armed = s.armed_cursors[w].load(std::memory_order_acquire);
    for (; armed != 0; armed &= armed - 1) {
      const uint32_t i = w * 64 + static_cast<uint32_t>(__builtin_ctzll(armed));
      CursorCell& cell = s.cursors[i];
      const bool any = everybody || (cell.armed.load(std::memory_order_acquire) & kArmedAny) != 0;
      if (!any && !concerns(cell, groups, group_count)) continue;
      const uint64_t bit = 1ull << (i % 64);
      if ((s.armed_cursors[w].fetch_and(~bit, std::memory_order_seq_cst) & bit) == 0) continue;  // rung by another
      EVS_CRASH_POINT("ring.taken");
      ring_cursor(slot, i);
    }
  }
}

void Bells::ring_armed(bool everybody, const void* groups, uint32_t group_count) {
  const Geometry& g = segment_->geometry();
  for (uint32_t w = 0; w < g.slot_word_count; ++w) {
    uint64_t slots = segment_->hot().armed_slots[w].load(std::memory_order_acquire);
    for (; slots != 0; slots &= slots - 1) {
      const uint32_t slot = w * 64 + static_cast<uint32_t>(__builtin_ctzll(slots));
      if (slot >= g.max_members || slot_word(*segment_, slot).state == SlotState::free) continue;
      ring_slot(slot, everybody, groups, group_count);
    }
  }
}

void Bells::ring_cursor(uint32_t slot, uint32_t cursor) {
  CursorCell& cell = segment_->slot(slot).cursors[cursor];
  const uint32_t how = cell.armed.exchange(0, std::memory_order_seq_cst);
  if (how == 0) return;
  EVS_CRASH_POINT("ring.disarmed");
  cell.wakeups.fetch_add(1, std::memory_order_relaxed);
  if (measure_) cell.rung_ns.store(monotonic_ns(), std::memory_order_relaxed);
  signal(cell, how);
}

void Bells::wake(uint32_t slot, uint32_t cursor) {
  CursorCell& cell = segment_->slot(slot).cursors[cursor];
  cell.armed.store(0, std::memory_order_seq_cst);
  signal(cell, kArmedFutex);
}

void Bells::signal(CursorCell& cell, uint32_t how) {
  if ((how & kArmedFutex) != 0) {
    cell.futex.fetch_add(1, std::memory_order_seq_cst);
    EVS_CRASH_POINT("ring.raised");
    futex_wake(cell.futex);
  }
  if ((how & kArmedBell) != 0 && !opener_->ring(cell.bell.load(std::memory_order_acquire)))
    segment_->hot().alarms.fetch_add(1, std::memory_order_seq_cst);  // its bits are taken: nobody else will ring it
}

void Bells::ring_service(uint32_t slot) { opener_->ring(segment_->slot(slot).service_bell.load(std::memory_order_acquire)); }

void Bells::ring_services() {
  for (uint32_t i = 0; i < segment_->geometry().max_members; ++i)
    if (claims_count(slot_word(*segment_, i).state)) ring_service(i);
}

void Bells::want_room(uint32_t slot) {
  segment_->hot().room_slots[slot / 64].fetch_or(1ull << (slot % 64), std::memory_order_seq_cst);
}

void Bells::ring_room() {
  const Geometry& g = segment_->geometry();
  for (uint32_t w = 0; w < g.slot_word_count; ++w) {
    std::atomic<uint64_t>& word = segment_->hot().room_slots[w];
    if (word.load(std::memory_order_relaxed) == 0) continue;
    for (uint64_t slots = word.exchange(0, std::memory_order_seq_cst); slots != 0; slots &= slots - 1) {
      const uint32_t slot = w * 64 + static_cast<uint32_t>(__builtin_ctzll(slots));
      if (slot < g.max_members && claims_count(slot_word(*segment_, slot).state)) ring_service(slot);
    }
  }
}

}  // namespace evs::shm
