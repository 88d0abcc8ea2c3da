// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/service.cc - the service thread's turn.
//
// It sleeps on one epoll descriptor: the pidfds of the other members, and a FIFO that others ring (a membership changed, the ring is filling
// up, there is room again). It proves deaths, appends the leaves it owes, closes holes, judges a full ring, and beats.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/shm/cursor.h"
#include "plugins/shm/transport.h"
#include "shm/crash_point.h"
#include "shm/wake.h"

namespace evs::plugin_shm {

using shm::MemberReason;
using shm::SlotState;
using shm::SlotWord;

namespace {

constexpr uint64_t kTickNs = 250'000'000;       // members without pidfd, exec'd and stopped ones
constexpr uint64_t kRetryNs = 2'000'000;        // something is owed and could not be done
constexpr uint64_t kOverdueNs = 100'000'000;    // a leave's author may be stopped
constexpr uint64_t kRoomTickNs = 1'000'000;     // somebody waits for room: what the readers' bell may have missed
constexpr uint64_t kJudgeTickNs = 50'000'000;
constexpr uint64_t kStoppedAfterNs = 1'000'000'000;
constexpr uint64_t kHoleRetryNs = 2'000'000'000;  // after a death
constexpr uint64_t kServiceBell = ~0ull;          // epoll's tag of the FIFO
constexpr uint32_t kStoppedSaid = 1, kStoppedMarked = 2, kDeathSaid = 3;  // Slot::stopped_logged; marked: said of another slot of the same process

}  // namespace

// One that serves several transports may start and stop one of them itself.
bool Transport::on_service_thread() const { return service_thread_.load(std::memory_order_relaxed) == static_cast<int32_t>(syscall(SYS_gettid)); }

int32_t Transport::begin_service() {
  service_thread_.store(static_cast<int32_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return EVS_P_NO_RESOURCES;
  for (uint32_t attempt = 0; attempt < 1024 && service_bell_fd_ < 0; ++attempt) {
    // High bit set: never the name of a cursor's bell.
    const uint64_t bell = 1ull << 63 | static_cast<uint64_t>(getpid()) << 32 | (attempt + 1);
    const std::string name = shm::bell_name(bus_, bell);
    if (mkfifoat(directory_.fd(), name.c_str(), 0600) != 0) {
      // A dead process of our pid, or another bus directory's user in this very process.
      if (errno == EEXIST) continue;
      return errno == ENOSPC ? EVS_P_NO_SPACE : EVS_P_ACCESS;
    }
    service_bell_ = bell;
    service_bell_fd_ = directory_.open_file(name, O_RDWR);
    if (service_bell_fd_ < 0) {
      unlinkat(directory_.fd(), name.c_str(), 0);
      return EVS_P_NO_RESOURCES;
    }
    fchmod(service_bell_fd_, directory_.file_mode());
  }
  if (service_bell_fd_ < 0) return EVS_P_NO_RESOURCES;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kServiceBell;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, service_bell_fd_, &event) == 0 ? EVS_P_OK : EVS_P_NO_RESOURCES;
}

void Transport::end_service() {
  if (robust_held_) robust_.let_go(segment_.slot(slot_));
  robust_held_ = false;
}

void Transport::drain_service_bell() {
  char bytes[256];
  while (read(service_bell_fd_, bytes, sizeof bytes) > 0) {}
}

void Transport::serve_requests() {
  const std::lock_guard lock(request_mutex_);
  if (request_ == Request::none) return;
  if (request_ == Request::hold) {
    robust_.hold(segment_.slot(slot_));
    robust_held_ = true;
  } else if (robust_held_) {
    robust_.let_go(segment_.slot(slot_));
    robust_held_ = false;
  }
  request_ = Request::none;
  request_done_.notify_all();
}

void Transport::forget_pidfd(uint32_t slot) {
  const auto found = watched_.find(slot);
  if (found == watched_.end()) return;
  if (found->second.fd >= 0) close(found->second.fd);  // leaves the epoll set with it
  watched_.erase(found);
}

void Transport::watch_members() {
  for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
    const SlotWord word = slot_word(segment_, i);
    const auto found = watched_.find(i);
    const bool lives = i != slot_ && claims_count(word.state);
    if (!lives || (found != watched_.end() && found->second.generation != word.generation)) forget_pidfd(i);
    if (!lives || (watched_.count(i) != 0 && !watched_[i].ask_again)) continue;
    const shm::Slot& s = segment_.slot(i);
    int fd = -1;
    const shm::Pulse pulse =
        shm::open_pidfd(s.pid.load(std::memory_order_relaxed), s.start_time.load(std::memory_order_relaxed), fd);
    // Another life may have begun while we looked. (It may have become LIVE, too: that is the same life, and nobody rings for it.)
    if (const SlotWord now = slot_word(segment_, i); now.generation != word.generation || !claims_count(now.state)) {
      if (fd >= 0) close(fd);
      continue;
    }
    if (pulse == shm::Pulse::dead) {
      prove_dead(i, word);
      continue;
    }
    Watched& watched = watched_[i];
    watched.generation = word.generation;
    watched.fd = fd;
    watched.ask_again = fd < 0;
    if (fd < 0) continue;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void Transport::check_pidfds() {
  epoll_event events[32];
  const int n = epoll_wait(epoll_, events, 32, 0);
  for (int i = 0; i < n; ++i) {
    if (events[i].data.u64 == kServiceBell) {
      drain_service_bell();
      continue;
    }
    const uint32_t slot = static_cast<uint32_t>(events[i].data.u64);
    const auto found = watched_.find(slot);
    if (found == watched_.end()) continue;
    SlotWord word = slot_word(segment_, slot);
    if (word.generation == found->second.generation) prove_dead(slot, word);
    forget_pidfd(slot);
  }
}

// exec keeps the pid, and its pidfd silent; a process that had no descriptors left to watch with asks on demand.
void Transport::check_without_pidfd() {
  for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
    const SlotWord word = slot_word(segment_, i);
    if (i == slot_ || !claims_count(word.state)) continue;
    const bool silent = watched_.count(i) != 0 && watched_[i].ask_again;
    if (!silent && !robust_owner_died(segment_.slot(i))) continue;
    if (shm::pulse_of(segment_, i, locks_) == shm::Pulse::dead) prove_dead(i, word);
  }
}

void Transport::prove_dead(uint32_t slot, SlotWord word) {
  // Killed while it joined, the slot may be its own and the block still the last one's.
  if (claims_count(word.state) && counters_.block(slot).generation.load(std::memory_order_relaxed) == word.generation) publish_counts(slot);
  while (claims_count(word.state)) {
    SlotWord dead = word;
    dead.state = SlotState::dead;
    dead.author = slot_;
    dead.reason = word.state == SlotState::expelled ? word.reason : MemberReason::died;
    EVS_CRASH_POINT("death.proved");
    if (change_slot(segment_, slot, word, dead)) {
      count(shm::Counter::deaths_proved);
      proved_ns_[slot] = monotonic_ns();
      if (is_first_death_of_its_process(slot)) log(EVS_HOST_LOG_INFO, "member.died", who(slot) + " died");
      EVS_CRASH_POINT("death.marked");
      break;
    }
    const uint32_t generation = word.generation;
    word = slot_word(segment_, slot);
    if (word.generation != generation) return;
  }
  segment_.hot().alarms.fetch_add(1, std::memory_order_seq_cst);
}

// After each death, whoever proved it: the dead one may have left holes, and may have committed, or taken a sleeper's bits, without ringing (B12).
void Transport::retry_holes(uint64_t now) {
  const uint64_t alarms = segment_.hot().alarms.load(std::memory_order_seq_cst);
  if (alarms != alarms_seen_) {
    alarms_seen_ = alarms;
    retry_until_ns_ = now + kHoleRetryNs;
    uint64_t padded = 0;
    for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
      if (slot_word(segment_, i).state != SlotState::dead) continue;
      const std::lock_guard lock(fill_mutex_);
      padded += shm::fill_claims_of(segment_, i, slot_);
    }
    if (padded != 0) {
      count(shm::Counter::padded_units, padded);
      bells_.ring_armed(true, nullptr, 0);
    }
    wake_own_cursors();
    bells_.ring_room();
  }
  const std::lock_guard lock(cursors_mutex_);
  for (const auto& cursor : cursors_) {
    uint64_t position = 0;
    if (cursor && cursor->blocked_at(position) && alarms != 0 && unblock(position)) bells_.ring_cursor(slot_, cursor->index());
  }
}

void Transport::wake_own_cursors() {
  const std::lock_guard lock(cursors_mutex_);
  for (const auto& cursor : cursors_)
    if (cursor) {
      bells_.wake(slot_, cursor->index());
      cursor->ring();
    }
}

// It dies in all of its slots, perhaps by several provers at once: the mark on the first of them is one word.
bool Transport::is_first_death_of_its_process(uint32_t slot) {
  shm::Slot& s = segment_.slot(slot);
  shm::Slot* first = &s;
  for (uint32_t i = 0; i < slot; ++i) {
    shm::Slot& other = segment_.slot(i);
    if (slot_word(segment_, i).state == SlotState::free || other.pid.load(std::memory_order_relaxed) != s.pid.load(std::memory_order_relaxed) ||
        other.start_time.load(std::memory_order_relaxed) != s.start_time.load(std::memory_order_relaxed))
      continue;
    first = &other;
    break;
  }
  return first->stopped_logged.exchange(kDeathSaid) != kDeathSaid;
}

// A process that has several slots is stopped in all of them: one line says so.
bool Transport::said_of_its_process(uint32_t slot) const {
  const shm::Slot& s = segment_.slot(slot);
  for (uint32_t i = 0; i < segment_.geometry().max_members; ++i) {
    if (i == slot || !claims_count(slot_word(segment_, i).state)) continue;
    const shm::Slot& other = segment_.slot(i);
    if (other.pid.load(std::memory_order_relaxed) == s.pid.load(std::memory_order_relaxed) &&
        other.start_time.load(std::memory_order_relaxed) == s.start_time.load(std::memory_order_relaxed) &&
        other.stopped_logged.load(std::memory_order_relaxed) == kStoppedSaid)
      return true;
  }
  return false;
}

// Each looks at its right neighbour, and on behind one that is stopped: a few reads of /proc a second on a bus of any size.
void Transport::look_for_stopped(uint64_t now) {
  const uint32_t most = segment_.geometry().max_members;
  for (uint32_t step = 1; step < most; ++step) {
    const uint32_t i = (slot_ + step) % most;
    const SlotWord word = slot_word(segment_, i);
    if (!claims_count(word.state)) continue;
    shm::Slot& s = segment_.slot(i);
    const char state = shm::process_state(s.pid.load(std::memory_order_relaxed));
    if (state != 'T' && state != 't') {
      if (s.stopped_since_ns.exchange(0, std::memory_order_relaxed) != 0 && s.stopped_logged.exchange(0) == kStoppedSaid)
        log(EVS_HOST_LOG_WARNING, "member.resumed", who(i) + " runs again");
      return;
    }
    uint64_t since = 0;
    if (s.stopped_since_ns.compare_exchange_strong(since, now, std::memory_order_relaxed)) since = now;
    uint32_t unmarked = 0;
    if (now - since < kStoppedAfterNs || !s.stopped_logged.compare_exchange_strong(unmarked, kStoppedMarked)) continue;
    // It may have been stopped between taking a sleeper's bits and the ring.
    segment_.hot().alarms.fetch_add(1, std::memory_order_seq_cst);
    bells_.ring_services();
    if (said_of_its_process(i)) continue;
    s.stopped_logged.store(kStoppedSaid);
    log(EVS_HOST_LOG_WARNING, "member.stopped",
        who(i) + " is stopped (for " + std::to_string((now - since) / 1000000) +
            " ms); what it has not read keeps its room until it goes on, dies, or is expelled by slow_reader_timeout");
  }
}

void Transport::work(uint64_t now, uint64_t& next) {
  next = UINT64_MAX;
  serve_requests();
  if (own_word_.load(std::memory_order_acquire) == ~0ull) {
    if (service_bell_fd_ >= 0) drain_service_bell();
    // A pidfd that became readable would stay so: nobody is watched until we are a member, and look at everybody anew.
    while (!watched_.empty()) forget_pidfd(watched_.begin()->first);
    return;
  }
  check_pidfds();
  if (!member()) {
    // Expelled: the host asks us to rejoin at its next call. Sleepers shall find out.
    wake_own_cursors();
    tell_expelled(now);
    next = now + kTickNs;
    return;
  }
  watch_members();
  uint64_t at = 0;
  bool owed = !follow(nullptr, &at);
  if (owed && segment_.hot().alarms.load(std::memory_order_relaxed) != 0) unblock(at);
  retry_holes(now);
  leaves_overdue_ = leaves_left_since_ns_ != 0 && now - leaves_left_since_ns_ >= kOverdueNs;
  settle_leaves();
  if (!leaves_left_) {
    leaves_left_since_ns_ = 0;
  } else if (leaves_left_since_ns_ == 0) {
    leaves_left_since_ns_ = now;
  }
  judge(now);
  serve_room_requests();
  if (now >= next_tick_ns_) {
    next_tick_ns_ = now + kTickNs;
    check_without_pidfd();
    look_for_stopped(now);
    beat(now);
  }
  next = next_tick_ns_;
  // An uncommitted unit in the middle of live traffic is nothing to wake up for: only what a death may have left.
  owed = leaves_left_ || (owed && now < retry_until_ns_);
  if (owed) next = std::min(next, now + kRetryNs);
  if (starved_bytes_.load(std::memory_order_relaxed) != 0) next = std::min(next, now + kJudgeTickNs);
  if (room_waiters_.load(std::memory_order_relaxed) != 0) next = std::min(next, now + kRoomTickNs);
}

}  // namespace evs::plugin_shm
