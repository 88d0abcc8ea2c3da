// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/cursor.cc - a cursor's place, interests, sleep and bell. Reading is in reading.cc.
#include "plugins/shm/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "shm/crash_point.h"
#include "shm/record.h"

namespace evs::plugin_shm {

using shm::kPositionMask;

namespace {

inline void relax() { __builtin_ia32_pause(); }

std::atomic<uint32_t> next_bell{0};

}  // namespace

Cursor::Cursor(Transport& t, uint32_t index)
    : transport(t), index_(index), generation_of_(t.segment().geometry().max_members, 0),
      filter_counts_(shm::kFilterWords * 64, 0), spin_now_ns_(t.parameters().spin_ns / 2) {
  move_to_slot();
}

Cursor::~Cursor() {
  shm::CursorCell& c = cell();
  park();
  c.armed.store(0, std::memory_order_relaxed);
  c.bell.store(0, std::memory_order_relaxed);
  c.in_use.store(0, std::memory_order_release);
  if (const int fd = fifo_.load(); fd >= 0) {
    close(fd);
    unlinkat(transport.directory().fd(), shm::bell_name(transport.bus(), bell_.load()).c_str(), 0);
  }
}

void Cursor::leave_slot() {
  former_ = &cell();
  former_->bell.store(0, std::memory_order_relaxed);  // who takes the place unlinks the bells that it names
  position_.store(0, std::memory_order_relaxed);
  cell_.store(&nowhere_, std::memory_order_release);
}

void Cursor::wake_former() {
  for (shm::CursorCell* c : {former_, &nowhere_}) {
    c->futex.fetch_add(1, std::memory_order_seq_cst);
    shm::futex_wake(c->futex);
  }
}

void Cursor::move_to_slot() {
  shm::Slot& slot = transport.segment().slot(transport.slot());
  shm::CursorCell& c = slot.cursors[index_];
  position_.store(0, std::memory_order_relaxed);
  c.position.store(0, std::memory_order_relaxed);
  c.armed.store(0, std::memory_order_relaxed);
  c.bell.store(bell_.load(), std::memory_order_relaxed);
  c.rung_ns.store(0, std::memory_order_relaxed);
  // Other handles may have had the cell in this life of the slot: what they counted stays, or totals would fall.
  c.wakeups_before.fetch_add(c.wakeups.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  c.delivered_before.fetch_add(c.delivered.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  delivered_ = 0;
  {
    const std::lock_guard lock(interest_mutex_);
    c.joined_groups.store(static_cast<uint32_t>(interests_.size()), std::memory_order_relaxed);
    for (uint32_t w = 0; w < shm::kFilterWords; ++w) {
      uint64_t bits = 0;
      for (uint32_t b = 0; b < 64; ++b)
        if (filter_counts_[w * 64 + b] != 0) bits |= 1ull << b;
      c.filter[w].store(bits, std::memory_order_relaxed);
    }
  }
  c.in_use.store(1, std::memory_order_release);
  cell_.store(&c, std::memory_order_release);
  if (uint64_t at = 0; role_) static_cast<void>(begin_at_pin(at));  // nothing was lost: the pin held
  uint32_t used = slot.cursors_used.load(std::memory_order_relaxed);
  while (used <= index_ && !slot.cursors_used.compare_exchange_weak(used, index_ + 1, std::memory_order_seq_cst)) {}
}

int32_t Transport::open_cursor(Cursor*& out) {
  const std::lock_guard lock(cursors_mutex_);
  if (!has_slot_) return EVS_P_EXPELLED;
  if (cursors_.empty()) cursors_.resize(shm::kCursors);
  for (uint32_t i = 0; i < shm::kCursors; ++i) {
    if (cursors_[i]) continue;
    cursors_[i] = std::make_unique<Cursor>(*this, i);
    out = cursors_[i].get();
    return EVS_P_OK;
  }
  return EVS_P_NO_RESOURCES;
}

void Transport::close_cursor(Cursor* cursor) {
  const std::lock_guard lock(cursors_mutex_);
  if (cursor->room_wanted.exchange(0) != 0) room_waiters_.fetch_sub(1);
  if (cursor->has_role()) close_role();
  cursors_[cursor->index()].reset();
}

void Cursor::adopt(const shm::View& view) {
  std::fill(generation_of_.begin(), generation_of_.end(), 0);
  for (const shm::MemberEntry& m : view.members)
    if (m.slot < generation_of_.size()) generation_of_[m.slot] = m.generation;
  view_ = view;
}

// A fresh cursor may be counted only when all that comes before it is in a published view (docs/shm-layout.md B9): the process's own
// reading goes there first, behind the attach pin.
int32_t Cursor::watch(void* buffer, size_t size, size_t* needed) {
  if (role_) return EVS_P_NOT_SUPPORTED;
  const shm::Segment& segment = transport.segment();
  const size_t most = sizeof(evs_membership) + 2ull * segment.geometry().max_members * sizeof(evs_ordered_member);
  if (needed != nullptr) *needed = most;
  if (size < most) return EVS_P_TOO_BIG;
  if (!transport.member()) return EVS_P_EXPELLED;
  if (position_.load(std::memory_order_relaxed) == 0) {
    const uint64_t deadline = monotonic_ns() + transport.parameters().attach_timeout_ns;
    for (uint32_t turn = 0;; ++turn) {
      const std::lock_guard pin_guard(transport.watch_mutex());
      // Holds the ring from here on; whoever scanned before this could be seen is bounded by the tail it saw.
      shm::set_pin(segment, transport.slot(), shm::kPinWatch, segment.hot().tail.load(std::memory_order_seq_cst));
      shm::View view;
      uint64_t at = 0;
      const bool whole = transport.follow(&view, &at);
      if (whole && at >= (segment.slot(transport.slot()).pins[shm::kPinWatch].position.load() & kPositionMask)) {
        adopt(view);
        cell().position.store(at | 1, std::memory_order_seq_cst);
        position_.store(at, std::memory_order_relaxed);
        EVS_CRASH_POINT("watch.placed");
      }
      shm::clear_pin(segment, transport.slot(), shm::kPinWatch);
      if (position_.load(std::memory_order_relaxed) != 0) break;
      if (!transport.member()) return EVS_P_EXPELLED;
      if (!whole && turn % 16 == 15) {
        transport.unblock(at);
        // A member is stopped in a claim: the caller hears of it, and may try again.
        if (monotonic_ns() >= deadline) return EVS_P_AGAIN;
      }
      sched_yield();
    }
  }
  return transport.write_membership(view_, buffer, size, needed);
}

void Cursor::park() {
  position_.store(0, std::memory_order_relaxed);
  cell().position.store(0, std::memory_order_release);
}

int32_t Cursor::interest_add(const evs_plugin_group* groups, uint32_t count) {
  const std::lock_guard lock(interest_mutex_);
  shm::CursorCell& c = cell();
  for (uint32_t i = 0; i < count; ++i) {
    GroupKey key;
    memcpy(key.w, groups[i].key, sizeof key.w);
    if (interests_[key]++ != 0) continue;
    const shm::FilterBits bits(shm::group_hash(&key));
    for (const uint32_t bit : {bits.first, bits.second})
      if (filter_counts_[bit]++ == 0) c.filter[bit / 64].fetch_or(1ull << (bit % 64), std::memory_order_seq_cst);
  }
  c.joined_groups.store(static_cast<uint32_t>(interests_.size()), std::memory_order_relaxed);
  return EVS_P_OK;
}

void Cursor::interest_remove(const evs_plugin_group* groups, uint32_t count) {
  const std::lock_guard lock(interest_mutex_);
  shm::CursorCell& c = cell();
  for (uint32_t i = 0; i < count; ++i) {
    GroupKey key;
    memcpy(key.w, groups[i].key, sizeof key.w);
    const auto found = interests_.find(key);
    if (found == interests_.end() || --found->second != 0) continue;
    interests_.erase(found);
    const shm::FilterBits bits(shm::group_hash(&key));
    for (const uint32_t bit : {bits.first, bits.second})
      if (--filter_counts_[bit] == 0) c.filter[bit / 64].fetch_and(~(1ull << (bit % 64)), std::memory_order_seq_cst);
  }
  c.joined_groups.store(static_cast<uint32_t>(interests_.size()), std::memory_order_relaxed);
}

// Asks to be rung; true: there was nothing then, and whatever comes rings.
bool Cursor::arm_and_look(uint32_t how) {
  if (!transport.member()) return false;
  transport.bells().arm(transport.slot(), index_, how);
  if (pending() != 0) return false;
  // A claim stands before us that is not committed. What is committed behind it may be ours and have rung already (we were awake), and who
  // commits this one rings only whom it concerns: so any commit shall ring. A claim that is made after this look stands before all that it
  // could hide, whose senders then ring us by our filter.
  const uint64_t position = position_.load(std::memory_order_relaxed);
  if (position == 0 || transport.segment().hot().tail.load(std::memory_order_seq_cst) <= position) return true;
  transport.bells().arm(transport.slot(), index_, how | shm::kArmedAny);
  return pending() == 0;
}

// A rejoin may have moved us since `c` was ours, and it may be another process's by now, whose sleeper lost its bit to us: it looks again.
void Cursor::disarm(shm::CursorCell& c, uint32_t how) {
  c.armed.fetch_and(~how, std::memory_order_seq_cst);
  if (&cell() == &c) return;
  c.futex.fetch_add(1, std::memory_order_seq_cst);
  shm::futex_wake(c.futex);
}

int32_t Cursor::wait(uint64_t timeout_ns) {
  // Spins as long as spinning has paid off lately: a wake-up costs tens of microseconds on both sides.
  const uint64_t most = transport.parameters().spin_ns;
  const uint64_t budget = std::min(spin_now_ns_.load(std::memory_order_relaxed), timeout_ns);
  if (budget != 0 && pending() == 0 && interrupted_.load(std::memory_order_relaxed) == 0) {
    const uint64_t start = monotonic_ns();
    bool found = false;
    while (!found && monotonic_ns() - start < budget) {
      // Few looks between two at the clock: one that looks away lasts a microsecond, and where processors are scarce whoever is to write what we wait for waits for ours.
      for (int i = 0; i < 2 && !found; ++i) {
        relax();
        found = pending() != 0 || interrupted_.load(std::memory_order_relaxed) != 0;
      }
    }
    const uint64_t next = found ? std::min(most, budget + most / 8) : std::max(most / 32, budget - budget / 4);
    spin_now_ns_.store(next, std::memory_order_relaxed);
  }
  const uint64_t deadline = timeout_ns == UINT64_MAX ? UINT64_MAX : monotonic_ns() + timeout_ns;
  for (;;) {
    shm::CursorCell& c = cell();
    const uint32_t seen = c.futex.load(std::memory_order_acquire);
    if (interrupted_.exchange(0, std::memory_order_acq_rel) != 0) return EVS_P_INTERRUPTED;
    if (pending() != 0) return transport.member() ? EVS_P_OK : EVS_P_EXPELLED;
    // SLEEP: armed, then looked again; also whether a rejoin moved us to another cell meanwhile.
    if (!arm_and_look(shm::kArmedFutex) || &cell() != &c || interrupted_.load(std::memory_order_seq_cst) != 0) {
      disarm(c, shm::kArmedFutex);
      continue;
    }
    uint64_t left = UINT64_MAX;
    if (deadline != UINT64_MAX) {
      const uint64_t now = monotonic_ns();
      if (now >= deadline) {
        disarm(c, shm::kArmedFutex);
        return EVS_P_TIMEOUT;
      }
      left = deadline - now;
    }
    EVS_CRASH_POINT("wait.armed");
    slept_.store(true, std::memory_order_relaxed);
    shm::futex_wait(c.futex, seen, left);
    if (interrupted_.exchange(0, std::memory_order_acq_rel) != 0) return EVS_P_INTERRUPTED;
    // Woken, or a signal, or the end of the time: what came is for the caller to look at.
    if (c.futex.load(std::memory_order_acquire) != seen) return transport.member() ? EVS_P_OK : EVS_P_EXPELLED;
  }
}

void Cursor::wake() {
  interrupted_.store(1, std::memory_order_seq_cst);
  shm::CursorCell& c = cell();
  c.futex.fetch_add(1, std::memory_order_seq_cst);
  shm::futex_wake(c.futex);
}

int32_t Cursor::fd() {
  const int present = fifo_.load(std::memory_order_acquire);
  if (present >= 0) return present;
  const std::lock_guard lock(interest_mutex_);
  if (fifo_.load() >= 0) return fifo_.load();
  // Unique among all processes that share the directory: the pid, and a number of ours.
  for (int attempt = 0; attempt < 16; ++attempt) {
    const uint64_t bell = static_cast<uint64_t>(getpid()) << 32 | (next_bell.fetch_add(1) + 1);
    const std::string name = shm::bell_name(transport.bus(), bell);
    if (mkfifoat(transport.directory().fd(), name.c_str(), 0600) != 0) {
      if (errno == EEXIST) continue;
      return -1;
    }
    const int fd = transport.directory().open_file(name, O_RDWR);
    if (fd < 0) {
      unlinkat(transport.directory().fd(), name.c_str(), 0);
      return -1;
    }
    fchmod(fd, transport.directory().file_mode());
    bell_.store(bell);
    cell().bell.store(bell, std::memory_order_release);
    fifo_.store(fd, std::memory_order_release);
    return fd;
  }
  return -1;
}

void Cursor::drain_bell() {
  char bytes[256];
  const int fd = fifo_.load(std::memory_order_relaxed);
  while (::read(fd, bytes, sizeof bytes) == sizeof bytes) {}
}

// Always drained: a ringer that took our bits long ago may write only now, and a byte that stays makes the descriptor readable for ever.
int32_t Cursor::arm() {
  if (fifo_.load(std::memory_order_relaxed) < 0) return EVS_P_AGAIN;
  drain_bell();
  // Still armed: nobody rang since, and that arming's look covers all that was claimed after it.
  const bool armed = (cell().armed.load(std::memory_order_acquire) & shm::kArmedBell) != 0;
  if (armed ? pending() == 0 : arm_and_look(shm::kArmedBell)) {
    slept_.store(true, std::memory_order_relaxed);
    return EVS_P_AGAIN;
  }
  disarm(cell(), shm::kArmedBell);
  ring();
  return EVS_P_OK;
}

void Cursor::ring() {
  const int fd = fifo_.load(std::memory_order_acquire);
  if (fd < 0) return;
  const int saved = errno;
  static_cast<void>(!write(fd, "!", 1));
  errno = saved;
}

uint64_t Cursor::lag() const {
  const uint64_t position = position_.load(std::memory_order_relaxed);
  const uint64_t tail = transport.segment().hot().tail.load(std::memory_order_relaxed);
  return position != 0 && tail > position ? tail - position : 0;
}

bool Cursor::blocked_at(uint64_t& position) const {
  position = position_.load(std::memory_order_relaxed);
  return position != 0 && position < transport.segment().hot().tail.load(std::memory_order_acquire) &&
         !transport.segment().committed(position);
}

// How many records were there for this cursor when it was expelled? At least: what was lapped meanwhile cannot be counted.
uint64_t Cursor::count_unread() const {
  uint64_t at = position_.load(std::memory_order_relaxed), unread = 0;
  if (at == 0 || role_) return 0;
  const shm::Segment& segment = transport.segment();
  const uint64_t tail = segment.hot().tail.load(std::memory_order_acquire);
  shm::RecordView record;
  while (at < tail && shm::peek(segment, at, record) == shm::Peek::record) {
    std::atomic_thread_fence(std::memory_order_acquire);
    if (segment.hot().tail.load(std::memory_order_seq_cst) > at + segment.geometry().capacity) break;
    unread += record.kind == shm::Kind::message ? 1 : 0;
    at = record.next;
  }
  return unread;
}

}  // namespace evs::plugin_shm
