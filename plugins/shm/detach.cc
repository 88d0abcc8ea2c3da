// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/detach.cc - leaving the bus, and joining it again after an expulsion (docs/shm-layout.md B1, B7).
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "plugins/shm/cursor.h"
#include "plugins/shm/transport.h"
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

// Gives up a slot that never became a member.
void Transport::give_up_slot() {
  if (!has_slot_) return;
  counters_.block(slot_).heartbeat_ns.store(0, std::memory_order_relaxed);  // while the block is ours
  SlotWord word = slot_word(segment_, slot_);
  while (word.generation == generation_ && word.state != SlotState::dead) {
    SlotWord dead = word;
    dead.state = SlotState::dead;
    dead.author = slot_;
    dead.reason = MemberReason::left;
    if (change_slot(segment_, slot_, word, dead)) break;
    word = slot_word(segment_, slot_);
  }
  own_groups_.close_and_remove(directory_);
  segment_.slot(slot_).service_bell.store(0, std::memory_order_relaxed);  // ours lives on, or goes with us
  has_slot_ = false;
  locks_.vacate(slot_);
  bells_.ring_services();
}

// Before the slot is given up: afterwards the futex may be another process's.
void Transport::release_robust(bool on_service_thread) {
  if (on_service_thread || this->on_service_thread()) {
    if (robust_held_) robust_.let_go(segment_.slot(slot_));
    robust_held_ = false;
    return;
  }
  std::unique_lock lock(request_mutex_);
  request_ = Request::let_go;
  host_->wake(host_->context);
  request_done_.wait_for(lock, std::chrono::seconds(2), [&] { return request_ == Request::none; });
}

void Transport::append_own_leave() {
  const uint64_t deadline = monotonic_ns() + 200'000'000;
  while (left_until(deadline) != 0) {
    View view;
    uint64_t at = 0;
    if (!follow(&view, &at)) {
      unblock(at);
      pause_ns(20000);
      continue;
    }
    const MemberEntry* me = view.find(slot_, generation_);
    if (me == nullptr) {
      segment_.slot(slot_).left_position.store(view.position, std::memory_order_relaxed);
      return;
    }
    View next;
    next.change = view.change + 2;
    for (MemberEntry m : view.members) {
      const bool mine = m.slot == slot_;
      m.reason = static_cast<uint32_t>(mine ? MemberReason::left : MemberReason::stays);
      (mine ? next.left : next.members).push_back(m);
    }
    EVS_CRASH_POINT("detach.decided");
    uint64_t position = 0;
    if (append_view(next, view, true, position) != Code::ok) pause_ns(500000);
    EVS_CRASH_POINT("detach.appended");
  }
}

void Transport::stop() {
  if (!has_slot_) return;
  {
    const std::lock_guard lock(cursors_mutex_);
    for (auto& cursor : cursors_)
      if (cursor) cursor->park();
  }
  // While we are LIVE: the claims of a dead slot count for nothing. What cannot be appended in time, the others append.
  if (member()) append_own_leave();
  own_word_.store(~0ull, std::memory_order_release);
  beat(monotonic_ns());
  release_robust(false);
  give_up_slot();
  EVS_CRASH_POINT("detach.dead");
  if (locks_.try_lock()) {
    remove_files_if_last();
    locks_.unlock();
  }
}

void Transport::leave_expelled_slot() {
  for (auto& cursor : cursors_)
    if (cursor) lost_unread_ += cursor->count_unread();
  own_word_.store(~0ull, std::memory_order_release);
  own_groups_.close_and_remove(directory_);
  count(shm::Counter::expelled);
  publish_counts(slot_);
  counters_.block(slot_).heartbeat_ns.store(0, std::memory_order_relaxed);

  // The old slot is ours to give back only when nothing of it is open: a thread that jumped out of a claim, or stands in one, may still
  // write where the claim is. Then it stays in quarantine until this process ends.
  shm::Slot& body = segment_.slot(slot_);
  bool open = false;
  for (shm::Cell& cell : body.cells) open |= cell.intent.load(std::memory_order_acquire) != 0;
  for (shm::Pin& pin : body.pins) open |= pin.position.load(std::memory_order_acquire) != 0;
  release_robust(true);
  for (auto& cursor : cursors_)
    if (cursor) cursor->leave_slot();
  body.service_bell.store(0, std::memory_order_relaxed);  // who takes the place unlinks the bells that it names
  SlotWord word = slot_word(segment_, slot_);
  if (!open && word.generation == generation_ && word.state == SlotState::expelled) {
    SlotWord dead = word;
    dead.state = SlotState::dead;
    change_slot(segment_, slot_, word, dead);
  }
  if (!open) locks_.vacate(slot_);  // also when somebody took us for dead: the slot's next life locks it
  has_slot_ = false;
}

// On the service thread; the host keeps every other thread out but those in wait().
Status Transport::rejoin(uint64_t& lost) {
  lost = 0;
  // Asked for by a thread that heard of an expulsion which another one's asking has mended: the slot is ours, and leaving it LIVE behind us
  // would hold the ring with a cursor that nobody moves.
  if (member()) return {};
  const std::lock_guard cursors(cursors_mutex_);
  if (has_slot_) leave_expelled_slot();  // not when an earlier attempt failed behind this
  EVS_CRASH_POINT("rejoin.acknowledged");
  const Status s = attach(parameters_.attach_timeout_ns, true);
  if (s.ok())
    for (auto& cursor : cursors_)
      if (cursor) cursor->move_to_slot();
  // A thread in wait() sleeps on the old cell, and nobody will ring that again. (If the slot is another process's by now, its sleeper looks
  // once in vain.)
  for (auto& cursor : cursors_)
    if (cursor) cursor->wake_former();
  if (!s.ok()) return s;
  lost = std::exchange(lost_unread_, 0);
  starved_bytes_.store(0, std::memory_order_relaxed);
  count(shm::Counter::rejoins);
  return {};
}

}  // namespace evs::plugin_shm
