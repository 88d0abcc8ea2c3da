// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/transport.h - one process on one bus's shared-memory ring.
//
// The Transport owns what belongs to the process: the directory and lock file, the mapped segment, its slot, its cursors. The files:
//   attach.cc      joining
//   detach.cc      leaving, and joining again after an expulsion
//   segment_file.cc  which segment: opening, building, cleaning up
//   membership.cc  following the membership, and appending records that change it
//   cursor.cc      cursors: opening, watching, sleeping, bells
//   reading.cc     reading records at a cursor
//   role.cc        evs.role/1: the gateway's reader, and its pin
//   service.cc     the service thread's turn: deaths, requests
//   counting.cc    heartbeat, and what it tells monitors
//   judge.cc       a full ring: who holds it, for how long, expelling
//   groups.cc      evs.groups/1 over the members' group files
//   entry.cc       the C tables
//
// Threads: append() and the cursors' calls come from any application thread; work() and rejoin() from the service thread. What both
// touch is atomic or guarded by the mutex named beside it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "evs/plugin.h"
#include "plugins/shm/parameters.h"
#include "shm/claim.h"
#include "shm/counters.h"
#include "shm/death.h"
#include "shm/directory.h"
#include "shm/fill.h"
#include "shm/group_file.h"
#include "shm/lock_file.h"
#include "shm/slots.h"
#include "shm/view.h"

namespace evs::plugin_shm {

class Cursor;

uint64_t monotonic_ns();
uint64_t left_until(uint64_t deadline_ns);
// For what has no bell: a live claimant that is writing, room that a reader will make.
void pause_ns(long ns);

class Transport {
 public:
  Transport(const evs_host* host, Parameters parameters);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // segment_file.cc, attach.cc, detach.cc
  shm::Status open();
  shm::Status start(uint64_t timeout_ns);
  void stop();
  shm::Status rejoin(uint64_t& lost);

  // Is this process still the member that it became by start() or rejoin()? One load of a line that is hardly ever written.
  bool member() const {
    return segment_.slot_word(slot_).load(std::memory_order_relaxed) == own_word_.load(std::memory_order_relaxed);
  }
  void note_outsider_send();
  shm::Code append(const evs_append& frame, uint64_t& position, void (*before)(void*, uint64_t), void* context);

  // membership.cc
  evs_ordered_member self() const;
  int32_t write_membership(const shm::View& view, void* buffer, size_t size, size_t* needed) const;
  int32_t membership(void* buffer, size_t size, size_t* needed);
  // Reads on to the tail; true when it got there. Publishes and raises `covered`. Any thread.
  bool follow(shm::View* out = nullptr, uint64_t* position = nullptr);

  // cursor.cc
  int32_t open_cursor(Cursor*& out);
  void close_cursor(Cursor* cursor);

  // role.cc
  int32_t open_role(Cursor*& out, uint64_t& position);
  void close_role();
  int32_t keep_role(uint64_t position);
  int32_t settle(uint64_t position, uint32_t& committed);

  // judge.cc
  int32_t room(Cursor* cursor, size_t size, uint32_t groups);
  int32_t wait_room(size_t size, uint32_t groups, uint64_t timeout_ns);
  void usage(evs_ordered_usage& out) const;

  // groups.cc
  int32_t announce(const void* key, uint64_t& token);
  shm::OwnGroups& own_groups() { return own_groups_; }
  void group_members(const void* key, uint64_t position, const std::function<void(const evs_ordered_member&)>& visit);

  // service.cc
  int32_t begin_service();
  void work(uint64_t now, uint64_t& next);
  void end_service();
  int service_fd() const { return epoll_; }

  const shm::Segment& segment() const { return segment_; }
  const Parameters& parameters() const { return parameters_; }
  uint32_t slot() const { return slot_.load(std::memory_order_relaxed); }
  uint32_t generation() const { return generation_; }
  shm::Bells& bells() { return bells_; }
  const shm::Directory& directory() const { return directory_; }
  const std::string& bus() const { return bus_; }
  std::mutex& watch_mutex() { return watch_mutex_; }
  void publish_view(const shm::View& view);
  // Pads the unit at `position` if that is certain to be right; rings who sleeps. true: the reader can go on.
  bool unblock(uint64_t position);
  void log(int32_t level, const char* kind, const std::string& text) const;
  void count(shm::Counter counter, uint64_t n = 1);
  void took(shm::Histogram what, uint64_t ns);
  int32_t add_to_stats(uint32_t word, uint64_t n);
  // Has this process sent since it last read what others sent? (A hint for how to poll.)
  void note_sent() { if (!awaits_answer()) sent_since_read_.store(true, std::memory_order_relaxed); }
  bool awaits_answer() const { return sent_since_read_.load(std::memory_order_relaxed); }
  void clear_sent_note() { if (awaits_answer()) sent_since_read_.store(false, std::memory_order_relaxed); }
  size_t dump(char* text, size_t capacity);
  // In a child after fork(): closes our descriptors and no more. The parent's locks and memory stay as they are.
  void close_in_child();

 private:
  friend class Cursor;

  // attach.cc
  shm::Status open_or_build();
  shm::Status still_the_bus();
  shm::Status build_segment();
  shm::Status take_slot(uint64_t deadline_ns);
  shm::Status take_this_slot(uint32_t slot);
  void give_up_slot();
  void leave_expelled_slot();
  shm::Status attach(uint64_t timeout_ns, bool on_service_thread);
  bool joins_by_the_reserve(const shm::View& next) const;
  shm::Status append_join(uint64_t deadline_ns, uint64_t& position);
  shm::Status await_join(uint64_t deadline_ns, uint64_t position, bool& accepted);
  shm::Status hold_robust(bool on_service_thread, uint64_t deadline_ns);
  void release_robust(bool on_service_thread);
  void append_own_leave();
  void remove_files_if_last();
  void remove_leftovers();
  bool walk_to_tail(shm::View& view, uint64_t& position, uint64_t deadline_ns);

  // membership.cc
  shm::Code append_view(const shm::View& next, const shm::View& previous, bool use_reserve, uint64_t& position);
  void settle_leaves();
  bool owes_leave(uint32_t slot, shm::SlotWord word) const;

  // service.cc
  void watch_members();
  void check_pidfds();
  void check_without_pidfd();
  void prove_dead(uint32_t slot, shm::SlotWord word);
  void forget_pidfd(uint32_t slot);
  void look_for_stopped(uint64_t now);
  bool said_of_its_process(uint32_t slot) const;
  bool is_first_death_of_its_process(uint32_t slot);
  bool on_service_thread() const;
  void serve_requests();
  void retry_holes(uint64_t now);
  void wake_own_cursors();
  void drain_service_bell();

  // counting.cc
  void beat(uint64_t now);
  void publish_counts(uint32_t slot);
  void publish_levels(shm::CounterBlock& block);
  void tell_expelled(uint64_t now);

  // judge.cc
  void judge(uint64_t now);
  void serve_room_requests();
  std::string who(uint32_t slot) const;
  std::string whose_role(const std::string& bytes) const;  // role.cc
  bool is_this_process(uint32_t slot) const;
  void expel(uint32_t slot, uint64_t held_ns);
  void starve(uint64_t bytes);
  static void on_less_than_half(void* self, const shm::RoomScan& scan);

  struct Watched {
    uint32_t generation = 0;
    int fd = -1;
    bool ask_again = false;  // no descriptor to be had
  };

  const evs_host* host_;
  Parameters parameters_;
  std::string bus_;
  shm::Directory directory_;
  shm::LockFile locks_;
  shm::Segment segment_;
  int segment_fd_ = -1;
  shm::CounterFile counters_;
  shm::BellOpener opener_;
  shm::Bells bells_;
  shm::Room room_;
  shm::Writer writer_;
  shm::OwnGroups own_groups_;
  std::atomic<uint32_t> slot_{0};  // written by attach; a thread in wait() may read it meanwhile
  uint32_t generation_ = 0;
  std::atomic<uint64_t> own_word_{~0ull};  // the slot word while we are a member
  bool has_slot_ = false;
  bool reached_ = false;  // by barrier_everywhere()
  uint64_t* outsider_sends_ = nullptr;  // the host's counter; may be missing
  uint64_t lost_unread_ = 0;  // in an expulsion that no rejoin has mended yet

  std::mutex view_mutex_;   // view_, view_position_, publishing
  shm::View view_;          // as far as this process has read
  uint64_t view_position_ = 0;
  std::mutex fill_mutex_;   // this slot's fill pin
  std::mutex watch_mutex_;  // its watch pin

  std::mutex cursors_mutex_;  // cursors_
  std::vector<std::unique_ptr<Cursor>> cursors_;  // by index; empty where none

  // The service thread's own.
  Cursor* role_ = nullptr;  // the role's reader, while it is open
  shm::RobustFutex robust_;
  bool robust_held_ = false;
  std::atomic<int32_t> service_thread_{0};  // its thread id
  int epoll_ = -1;
  int service_bell_fd_ = -1;
  uint64_t service_bell_ = 0;
  std::map<uint32_t, Watched> watched_;
  uint64_t next_tick_ns_ = 0;
  uint64_t alarms_seen_ = 0;
  uint64_t retry_until_ns_ = 0;
  bool leaves_left_ = false;
  uint64_t leaves_left_since_ns_ = 0;
  bool leaves_overdue_ = false;

  // Requests to the service thread.
  std::mutex request_mutex_;
  std::condition_variable request_done_;
  enum class Request { none, hold, let_go } request_ = Request::none;

  // judge.cc
  std::atomic<uint64_t> starved_bytes_{0};  // the most that was asked for in vain since the ring was last found roomy
  uint64_t full_since_ns_ = 0;
  uint64_t last_judged_ns_ = 0;
  bool full_logged_ = false;
  struct Held {
    uint32_t slot = 0, generation = 0, index = 0;
    uint64_t lowest = 0;
    uint64_t held_ns = 0;
  } held_;
  std::atomic<uint32_t> room_waiters_{0};
  std::atomic<uint32_t> room_futex_{0};
  std::atomic<bool> sent_since_read_{false};
  std::atomic<uint64_t> full_total_{0};
  uint64_t full_before_ = 0, no_cell_before_ = 0;  // this life of the process as a member
  std::map<uint32_t, uint64_t> proved_ns_;         // by slot: when its death was proved, until its leave is appended. The service thread's
};

}  // namespace evs::plugin_shm
