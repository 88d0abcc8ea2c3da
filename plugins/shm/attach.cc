// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/attach.cc - joining the bus (docs/shm-layout.md B1, B9, B11).
//
// The lock file covers taking a slot, setting the pin and appending the join; not the wait for the join's place in the order. A process
// killed at any line leaves at most a slot that others prove dead.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/shm/cursor.h"
#include "plugins/shm/transport.h"
#include "shm/barrier.h"
#include "shm/crash_point.h"
#include "shm/wake.h"

namespace evs::plugin_shm {

using shm::Code;
using shm::MemberEntry;
using shm::MemberReason;
using shm::SlotState;
using shm::SlotWord;
using shm::Status;
using shm::View;

// Under the bus lock. Never-used slots first, then the one whose leave is longest ago: a nodeid comes back as late as possible.
Status Transport::take_slot(uint64_t deadline_ns) {
  const shm::Geometry& g = segment_.geometry();
  for (uint32_t i = 0; i < g.max_members; ++i)
    if (slot_word(segment_, i).state == SlotState::free) return take_this_slot(i);
  // Which leaves are in force is known at the tail. Others are sending: a claim that is just being written is no reason to give up.
  uint64_t at = 0;
  View view;
  for (;;) {
    at = segment_.hot().covered.load(std::memory_order_seq_cst);
    view = shm::load_latest(segment_);
    const shm::Walk result = shm::walk(segment_, at, view, segment_.hot().tail.load());
    if (result == shm::Walk::done) break;
    if (result == shm::Walk::damaged || left_until(deadline_ns) == 0)
      return Status::fail(Code::timeout, "bus \"" + bus_ + "\": a member is stopped in a claim, or the segment is damaged; see evs status");
    pause_ns(20000);
  }
  uint32_t best = g.max_members;
  uint64_t best_left = UINT64_MAX;
  for (uint32_t i = 0; i < g.max_members; ++i) {
    const SlotWord word = slot_word(segment_, i);
    if (word.state != SlotState::dead || view.find(i, word.generation) != nullptr) continue;
    std::atomic<uint64_t>& left = segment_.slot(i).left_position;
    uint64_t position = left.load(std::memory_order_relaxed);
    if (position == 0) {
      // Its leave was appended, by somebody who died before noting where. It is before the tail that we read to.
      left.compare_exchange_strong(position, at, std::memory_order_relaxed);
      position = left.load(std::memory_order_relaxed);
    }
    if (shm::lowest_cursor(segment_) < position) continue;  // somebody still reads what the last life sent
    if (position < best_left) {
      best_left = position;
      best = i;
    }
  }
  if (best == g.max_members)
    return Status::fail(Code::no_resources, "all " + std::to_string(g.max_members) + " places of bus \"" + bus_ +
                                                "\" are taken: raise local.max_processes (it takes effect when all have left)");
  return take_this_slot(best);
}

Status Transport::take_this_slot(uint32_t slot) {
  const SlotWord old = slot_word(segment_, slot);
  if (Status s = segment_.reserve_slot(segment_fd_, slot); !s.ok()) return s;
  shm::Slot& body = segment_.slot(slot);
  if (old.state == SlotState::dead) {
    // What the last life left in the directory.
    unlinkat(directory_.fd(), shm::group_file_name(bus_, slot, old.generation).c_str(), 0);
    unlinkat(directory_.fd(), shm::bell_name(bus_, body.service_bell.load()).c_str(), 0);
    const uint32_t used = std::min(body.cursors_used.load(), shm::kCursors);
    for (uint32_t c = 0; c < used; ++c)
      if (const uint64_t bell = body.cursors[c].bell.load(); bell != 0)
        unlinkat(directory_.fd(), shm::bell_name(bus_, bell).c_str(), 0);
  }
  shm::wipe_slot(segment_, slot);
  const pid_t pid = getpid();
  errno = 0;
  const uint64_t started = shm::process_start_time(pid);
  if (started == 0 && (errno == EMFILE || errno == ENFILE)) return shm::errno_status(errno, "reading /proc/self/stat");
  if (started == 0) return Status::fail(Code::internal, "/proc/self/stat is not readable: the bus needs /proc");
  // Of the process, not of the thread: a rejoin runs on the service thread.
  char command[16] = {};
  strncpy(command, program_invocation_short_name, sizeof command - 1);
  uint64_t words[2];
  memcpy(words, command, 16);
  body.command[0].store(words[0], std::memory_order_relaxed);
  body.command[1].store(words[1], std::memory_order_relaxed);
  body.pid.store(pid, std::memory_order_relaxed);
  body.start_time.store(started, std::memory_order_relaxed);
  body.service_bell.store(service_bell_, std::memory_order_relaxed);
  body.heartbeat_ns.store(monotonic_ns(), std::memory_order_relaxed);
  EVS_CRASH_POINT("attach.wiped");
  SlotWord joining{old.generation + 1, slot, SlotState::joining, MemberReason::stays};
  if (!change_slot(segment_, slot, old, joining))
    return Status::fail(Code::internal, "slot " + std::to_string(slot) + " changed under the bus lock");
  slot_ = slot;
  generation_ = joining.generation;
  has_slot_ = true;
  EVS_CRASH_POINT("attach.joining");
  counters_.take(slot, generation_, pid, started);
  if (!reached_) segment_.hot().fences_wanted.store(1, std::memory_order_seq_cst);  // before the join is appended
  writer_.bind(&segment_, slot_, generation_, &room_, &bells_, !reached_);
  writer_.sample(parameters_.sampling());
  full_before_ = full_total_.load(std::memory_order_relaxed);
  no_cell_before_ = writer_.no_cell_total();
  return own_groups_.create(directory_, bus_, slot_, generation_);
}

Status Transport::hold_robust(bool on_service_thread, uint64_t deadline_ns) {
  if (Status s = locks_.inhabit(slot_); !s.ok()) return s;
  if (on_service_thread || this->on_service_thread()) {
    robust_.hold(segment_.slot(slot_));
    robust_held_ = true;
    return {};
  }
  std::unique_lock lock(request_mutex_);
  request_ = Request::hold;
  host_->wake(host_->context);
  if (request_done_.wait_for(lock, std::chrono::nanoseconds(std::max<uint64_t>(left_until(deadline_ns), 1)),
                             [&] { return request_ == Request::none; }))
    return {};
  request_ = Request::none;
  return Status::fail(Code::timeout, "the bus's service thread did not answer in time");
}

// Reads to the tail behind a pin that follows, so that our own pin never holds the room we need (B9).
bool Transport::walk_to_tail(View& view, uint64_t& position, uint64_t deadline_ns) {
  position = segment_.hot().covered.load(std::memory_order_seq_cst);
  shm::set_pin(segment_, slot_, shm::kPinAttach, position);
  EVS_CRASH_POINT("attach.pinned");
  position = segment_.hot().covered.load(std::memory_order_seq_cst);
  view = shm::load_latest(segment_);
  for (uint32_t turn = 0;; ++turn) {
    const uint64_t tail = segment_.hot().tail.load(std::memory_order_seq_cst);
    const shm::Walk result = shm::walk(segment_, position, view, tail);
    if (result == shm::Walk::done) break;
    if (result == shm::Walk::damaged) return false;
    if (result == shm::Walk::lapped) {
      // Once or twice while others are fast; always when the tail is nonsense.
      if (turn % 64 == 63 && left_until(deadline_ns) == 0) return false;
      position = segment_.hot().covered.load(std::memory_order_seq_cst);
      View latest = shm::load_latest(segment_);
      if (latest.change >= view.change) view = std::move(latest);
      continue;
    }
    if (turn % 64 == 63) {
      unblock(position);
      if (left_until(deadline_ns) == 0) return false;
      pause_ns(20000);  // a live claimant is writing; it has no bell for this
    }
  }
  shm::set_pin(segment_, slot_, shm::kPinAttach, position);
  const std::lock_guard lock(view_mutex_);
  view_ = view;
  view_position_ = position;
  shm::publish(segment_, slot_, view_);
  return true;
}

// A ring that is full for the gateway's sake stays so until somebody takes the role over, and who could may have to join first. Half of the reserve is
// for that; the other half stays with the leaves. Under the bus lock: nobody else joins meanwhile.
bool Transport::joins_by_the_reserve(const View& next) const {
  const shm::RoomScan scan = shm::scan_room(segment_);
  const shm::Geometry& g = segment_.geometry();
  return scan.holder == shm::Holder::role &&
         shm::claim_end(g, scan.tail, shm::membership_bytes(next.members.size(), next.left.size())) <= scan.limit - g.reserve / 2;
}

Status Transport::append_join(uint64_t deadline_ns, uint64_t& position) {
  for (;;) {
    View view;
    uint64_t at = 0;
    if (!walk_to_tail(view, at, deadline_ns))
      return Status::fail(Code::timeout, "bus \"" + bus_ + "\": a member is stopped in a claim, or the segment is damaged; see evs status");
    // Who is dead or expelled goes in the same record. Our own old life above all: a leave that found no room may still be owed, and nobody
    // may see this process under two nodeids.
    View next;
    next.change = view.change + 2;
    for (MemberEntry m : view.members) {
      const SlotWord word = slot_word(segment_, m.slot);
      const bool same = word.generation == m.generation;
      const bool gone = !same || word.state == SlotState::dead || word.state == SlotState::expelled;
      m.reason = static_cast<uint32_t>(!gone ? MemberReason::stays : same ? word.reason : MemberReason::died);
      (gone ? next.left : next.members).push_back(m);
    }
    const MemberEntry me{slot(), generation_, getpid(), static_cast<uint32_t>(MemberReason::joined),
                         segment_.slot(slot_).start_time.load(std::memory_order_relaxed)};
    next.members.insert(std::upper_bound(next.members.begin(), next.members.end(), me,
                                         [](const MemberEntry& a, const MemberEntry& b) { return a.slot < b.slot; }),
                        me);
    EVS_CRASH_POINT("attach.walked");
    const Code code = append_view(next, view, joins_by_the_reserve(next), position);
    if (code == Code::ok) return {};
    if (code != Code::again) return Status::fail(code, "the join could not be appended");
    // The ring is full. Its readers' service threads may pass what is not theirs.
    const shm::RoomScan scan = shm::scan_room(segment_);
    bells_.ring_services();
    if (left_until(deadline_ns) == 0 && scan.holder == shm::Holder::role)
      return Status::fail(Code::timeout, std::string("bus \"").append(bus_).append("\" is full and stays full: ")
                                             .append(whose_role(std::to_string(scan.tail - scan.lowest).append(" bytes"))));
    if (left_until(deadline_ns) == 0)
      return Status::fail(Code::timeout, "bus \"" + bus_ + "\" is full and stays full: a member does not read; evs status names it");
    pause_ns(500000);
  }
}

Status Transport::await_join(uint64_t deadline_ns, uint64_t position, bool& accepted) {
  for (;;) {
    View view;
    uint64_t at = 0;
    const bool whole = follow(&view, &at);
    if (at > position) {
      accepted = view.find(slot_, generation_) != nullptr;
      return {};
    }
    if (!whole) unblock(at);
    if (left_until(deadline_ns) == 0)
      return Status::fail(Code::timeout, "bus \"" + bus_ + "\": a member is stopped in a claim before our join; evs status names it");
    pause_ns(20000);
  }
}

Status Transport::attach(uint64_t timeout_ns, bool on_service_thread) {
  const uint64_t deadline = monotonic_ns() + timeout_ns;
  if (Status s = locks_.lock(timeout_ns); !s.ok()) return s;
  EVS_CRASH_POINT("attach.locked");
  Status s;
  s = segment_.mapped() ? still_the_bus() : open_or_build();
  if (s.ok()) s = take_slot(deadline);
  if (s.ok()) s = hold_robust(on_service_thread, deadline);
  if (s.ok()) bells_.ring_services();
  EVS_CRASH_POINT("attach.held");
  bool accepted = false;
  while (s.ok() && !accepted) {
    uint64_t position = 0;
    s = append_join(deadline, position);
    EVS_CRASH_POINT("attach.appended");
    locks_.unlock();
    if (s.ok()) s = await_join(deadline, position, accepted);
    if (s.ok() && !accepted && left_until(deadline) == 0)
      s = Status::fail(Code::timeout, "bus \"" + bus_ + "\": our joins stand in the order and never come into force; the segment is damaged: "
                                      "stop all members and start again");
    if (s.ok() && !accepted) s = locks_.lock(left_until(deadline));
  }
  if (s.ok()) {
    SlotWord joining{generation_, slot_, SlotState::joining, MemberReason::stays};
    SlotWord live = joining;
    live.state = SlotState::live;
    if (!change_slot(segment_, slot_, joining, live))
      s = Status::fail(Code::timeout, "this process was expelled while it joined (was it stopped?)");
    else
      own_word_.store(live.pack(), std::memory_order_release);
  }
  if (!s.ok()) {
    if (has_slot_) release_robust(on_service_thread);
    give_up_slot();
    // Nothing is left behind, if it was us who built it.
    if (!on_service_thread && segment_.mapped() && locks_.try_lock()) remove_files_if_last();
    locks_.unlock();
    return s;
  }
  EVS_CRASH_POINT("attach.live");
  shm::clear_pin(segment_, slot_, shm::kPinAttach);
  host_->wake(host_->context);  // a turn before this found no member, and wanted no other one
  return {};
}

Status Transport::start(uint64_t timeout_ns) { return attach(std::min(timeout_ns, parameters_.attach_timeout_ns), false); }

}  // namespace evs::plugin_shm
