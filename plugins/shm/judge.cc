// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/judge.cc - a full ring: who holds it, for how long, and what then (docs/shm-layout.md B7).
//
// Time counts against a member only while this judge itself ran, while the ring was full for this process, while the member's cursor did not
// move although its next record was committed. A process never judges itself, so a process alone expels nobody.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/shm/cursor.h"
#include "plugins/shm/transport.h"
#include "shm/crash_point.h"
#include "shm/role.h"

namespace evs::plugin_shm {

using shm::Holder;
using shm::MemberReason;
using shm::RoomScan;
using shm::SlotState;
using shm::SlotWord;

namespace {

constexpr uint64_t kSayAfterNs = 100'000'000;
constexpr uint64_t kLongestTurnNs = 200'000'000;  // a longer gap means that the judge itself did not run

bool has_room(const shm::Geometry& g, const RoomScan& scan, uint64_t bytes) {
  return shm::claim_end(g, scan.tail, bytes) <= scan.limit - g.reserve;
}

}  // namespace

bool Transport::is_this_process(uint32_t slot) const {
  return segment_.slot(slot).pid.load(std::memory_order_relaxed) == getpid();
}

std::string Transport::who(uint32_t slot) const {
  const shm::Slot& s = segment_.slot(slot);
  char command[17] = {};
  const uint64_t words[2] = {s.command[0].load(std::memory_order_relaxed), s.command[1].load(std::memory_order_relaxed)};
  memcpy(command, words, 16);
  return "process " + std::to_string(s.pid.load(std::memory_order_relaxed)) + " (" + command + ", nodeid " +
         std::to_string(slot + 1) + ")";
}

// From a sender's slow path, perhaps in a signal handler: ring, nothing else. The holder's service thread passes what its handles have
// not joined; if nobody has a cursor our own one reads on for the membership's sake.
void Transport::on_less_than_half(void* self, const RoomScan& scan) {
  auto* t = static_cast<Transport*>(self);
  if (scan.holder == Holder::covered) {
    t->host_->wake(t->host_->context);
    return;
  }
  if (scan.holder == Holder::role) {  // and those readers who are late as well; and ours, so that `covered` is not what bounds next
    if (const uint32_t gateway = shm::role_holder(t->segment_); gateway != UINT32_MAX) t->bells_.ring_service(gateway);
    t->host_->wake(t->host_->context);
  }
  const uint64_t half = scan.tail - std::min(scan.tail, t->segment_.geometry().capacity / 2);
  for (uint32_t i = 0; i < t->segment_.geometry().max_members; ++i) {
    if (!cursors_count(slot_word(t->segment_, i).state)) continue;
    const shm::Slot& slot = t->segment_.slot(i);
    const uint32_t used = std::min(slot.cursors_used.load(std::memory_order_acquire), shm::kCursors);
    for (uint32_t c = 0; c < used; ++c) {
      const uint64_t at = slot.cursors[c].position.load(std::memory_order_relaxed);
      if (at == 0 || at > half) continue;
      t->bells_.ring_service(i);
      break;
    }
  }
}

void Transport::expel(uint32_t slot, uint64_t held_ns) {
  SlotWord word = slot_word(segment_, slot);
  if (word.generation != held_.generation || (word.state != SlotState::live && word.state != SlotState::joining)) return;
  SlotWord expelled = word;
  expelled.state = SlotState::expelled;
  expelled.author = slot_;
  expelled.reason = MemberReason::expelled;
  const std::string name = who(slot);
  EVS_CRASH_POINT("expel.decided");
  if (!change_slot(segment_, slot, word, expelled)) return;
  EVS_CRASH_POINT("expel.marked");
  count(shm::Counter::expulsions);
  log(EVS_HOST_LOG_WARNING, "member.expelled",
      name + " held the full ring for " + std::to_string(held_ns / 1000000) +
          " ms without reading and was expelled (slow_reader_timeout)");
  bells_.ring_service(slot);
  settle_leaves();
  bells_.ring_room();
}

void Transport::judge(uint64_t now) {
  const uint64_t bytes = starved_bytes_.load(std::memory_order_relaxed);
  if (bytes == 0) return;
  const RoomScan scan = shm::scan_room(segment_);
  if (has_room(segment_.geometry(), scan, bytes)) {
    starved_bytes_.store(0, std::memory_order_relaxed);
    full_since_ns_ = 0;
    full_logged_ = false;
    held_ = Held{};
    return;
  }
  const uint64_t gap = now - std::min(now, last_judged_ns_);
  last_judged_ns_ = now;
  if (full_since_ns_ == 0) full_since_ns_ = now;

  const uint32_t generation = slot_word(segment_, scan.slot).generation;
  const bool same = held_.lowest == scan.lowest && held_.slot == scan.slot && held_.index == scan.index &&
                    held_.generation == generation;
  if (!same) held_ = Held{scan.slot, generation, scan.index, scan.lowest, 0};
  else if (gap <= kLongestTurnNs && (scan.holder != Holder::cursor || segment_.committed(scan.lowest))) held_.held_ns += gap;

  if (now - full_since_ns_ >= kSayAfterNs && !full_logged_) {
    full_logged_ = true;
    const std::string used = std::to_string(scan.tail - scan.lowest) + " of " + std::to_string(segment_.geometry().capacity) + " bytes";
    if (scan.holder == Holder::role)
      log(EVS_HOST_LOG_WARNING, "ring.full", std::string("the ring is full: ").append(whose_role(used)));
    else if (scan.holder == Holder::cursor && is_this_process(scan.slot))
      log(EVS_HOST_LOG_WARNING, "ring.full", "the ring is full: handle " + std::to_string(scan.index) +
                                                 " of this very process has not read " + used + "; dispatch it");
    else if (scan.holder == Holder::cursor)
      log(EVS_HOST_LOG_WARNING, "ring.full", "the ring is full: " + who(scan.slot) + " has not read " + used);
    else if (scan.holder == Holder::claim || scan.holder == Holder::pin)
      log(EVS_HOST_LOG_WARNING, "ring.full", "the ring is full: " + who(scan.slot) + " is stopped in a claim at " +
                                                 std::to_string(scan.tail - scan.lowest) + " bytes behind the end");
    else
      log(EVS_HOST_LOG_WARNING, "ring.full", "the ring is full: messages come faster than " + used + " are passed");
  }
  if (scan.holder == Holder::role || scan.holder == Holder::covered) return;  // nobody is to blame by the ring's rules
  // Ourselves nobody judges. Another slot of this process is judged as a reader: what it holds up may be more than this process. But nobody
  // fences the process that he lives in.
  if (scan.slot == slot_ || (scan.holder != Holder::cursor && is_this_process(scan.slot))) return;
  if (scan.holder == Holder::cursor) bells_.ring_service(scan.slot);  // it may pass what its handles have not joined
  if (scan.holder == Holder::cursor && held_.held_ns >= parameters_.slow_reader_timeout_ns) {
    // On demand: perhaps it is simply dead and nobody could tell us. The word before the proof: the place may be another's behind it.
    const SlotWord word = slot_word(segment_, scan.slot);
    const bool dead = shm::pulse_of(segment_, scan.slot, locks_) == shm::Pulse::dead;
    if (dead && word.generation == held_.generation) prove_dead(scan.slot, word);
    else if (!dead) expel(scan.slot, held_.held_ns);
    held_ = Held{};
  } else if ((scan.holder == Holder::claim || scan.holder == Holder::pin) && parameters_.stalled_writer_timeout_ns != 0 &&
             held_.held_ns >= parameters_.stalled_writer_timeout_ns) {
    // Fencing, asked for by the configuration: the kernel refuses it for another user's process.
    const shm::Slot& s = segment_.slot(scan.slot);
    int fd = -1;
    if (shm::open_pidfd(s.pid.load(), s.start_time.load(), fd) == shm::Pulse::alive && fd >= 0) {
      const bool killed = syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0) == 0;
      log(EVS_HOST_LOG_WARNING, "member.fenced",
          who(scan.slot) + " was stopped in a claim for " + std::to_string(held_.held_ns / 1000000) + " ms and " +
              (killed ? "was killed (stalled_writer_timeout)" : "could not be killed: " + std::string(strerror(errno))));
      close(fd);
    }
    held_ = Held{};
  }
}

int32_t Transport::room(Cursor* cursor, size_t size, uint32_t groups) {
  if (!member()) return EVS_P_EXPELLED;
  const uint64_t bytes = shm::record_bytes(groups, size);
  const uint64_t asked = cursor != nullptr ? cursor->room_wanted.load(std::memory_order_relaxed) : 0;
  if (has_room(segment_.geometry(), shm::scan_room(segment_), bytes)) {
    if (asked != 0 && cursor->room_wanted.exchange(0) != 0) room_waiters_.fetch_sub(1);
    return EVS_P_OK;
  }
  starve(bytes);  // who asks before it appends never has an append refused
  if (cursor != nullptr && cursor->room_wanted.exchange(bytes) == 0) room_waiters_.fetch_add(1);
  bells_.want_room(slot_);
  host_->wake(host_->context);
  return EVS_P_AGAIN;
}

void Transport::serve_room_requests() {
  if (room_waiters_.load(std::memory_order_relaxed) == 0) return;
  const RoomScan scan = shm::scan_room(segment_);
  bool still = false;
  {
    const std::lock_guard lock(cursors_mutex_);
    for (const auto& cursor : cursors_) {
      if (!cursor) continue;
      uint64_t bytes = cursor->room_wanted.load(std::memory_order_relaxed);
      if (bytes == 0) continue;
      if (!has_room(segment_.geometry(), scan, bytes)) {
        still = true;
        continue;
      }
      if (!cursor->room_wanted.compare_exchange_strong(bytes, 0)) continue;
      room_waiters_.fetch_sub(1);
      cursor->ring();
      cursor->wake();
    }
  }
  room_futex_.fetch_add(1);
  shm::futex_wake(room_futex_);
  if (still || room_waiters_.load() != 0) bells_.want_room(slot_);
}

int32_t Transport::wait_room(size_t size, uint32_t groups, uint64_t timeout_ns) {
  const uint64_t bytes = shm::record_bytes(groups, size);
  const uint64_t start = monotonic_ns();
  room_waiters_.fetch_add(1);
  // Once: the service thread looks every millisecond while somebody waits, and wakes us each time. Woken by each who was woken by it, it would
  // never sleep.
  host_->wake(host_->context);
  int32_t result = EVS_P_TIMEOUT;
  for (;;) {
    const uint32_t seen = room_futex_.load();
    if (!member()) {
      result = EVS_P_EXPELLED;
      break;
    }
    if (has_room(segment_.geometry(), shm::scan_room(segment_), bytes)) {
      result = EVS_P_OK;
      break;
    }
    const uint64_t waited = monotonic_ns() - start;
    if (waited >= timeout_ns) break;
    bells_.want_room(slot_);
    shm::futex_wait(room_futex_, seen, std::min<uint64_t>(timeout_ns - waited, 100'000'000));
  }
  room_waiters_.fetch_sub(1);
  return result;
}

void Transport::usage(evs_ordered_usage& out) const {
  const RoomScan scan = shm::scan_room(segment_);
  out = {};
  out.struct_size = sizeof out;
  out.capacity_bytes = segment_.geometry().capacity;
  uint64_t lowest = scan.tail;
  if (const uint64_t kept = shm::role_position(segment_); kept != 0) lowest = std::min(lowest, kept);  // its reader is nobody's
  for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
    if (!cursors_count(slot_word(segment_, i).state)) continue;
    const shm::Slot& s = segment_.slot(i);
    const uint32_t used = std::min(s.cursors_used.load(std::memory_order_acquire), shm::kCursors);
    for (uint32_t c = 0; c < used; ++c) {
      const uint64_t at = s.cursors[c].position.load(std::memory_order_relaxed) & shm::kPositionMask;
      if (at == 0 || at >= lowest) continue;
      lowest = at;
      out.holder_nodeid = i + 1;
      out.holder_pid = s.pid.load(std::memory_order_relaxed);
    }
  }
  out.used_bytes = scan.tail - lowest;
}

}  // namespace evs::plugin_shm
