// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle.cc - opening, and the several ways in which a handle ends.
//
// evs_finalize withdraws the number at once; from then on every call answers BAD_HANDLE. What stands behind it is taken down by who
// can get the callback lock: the finalizing thread when it may wait for a running callback, else whoever runs that callback, when it
// returns. Both look after having done their part, so one of them always sees the other (futex.h, LOCK).
#include "bus/runtime/handle.h"

#include <sched.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "bus/runtime/bus_registry.h"
#include "bus/runtime/handle_table.h"
#include "bus/runtime/no_cancel.h"
#include "bus/runtime/presence.h"

namespace evs::runtime {

thread_local uint32_t t_callback_depth = 0;

namespace {

}  // namespace

void Handle::prepare(evs_handle_t new_id, const HandleCallbacks& callbacks, void* app_context) {
  id = new_id;
  callbacks_ = callbacks;
  has_deliver_ = callbacks.extended.deliver != nullptr || callbacks.compatible.evs_deliver_fn != nullptr;
  context.store(app_context, std::memory_order_relaxed);
  forks_ = handle_table::g_forks.load(std::memory_order_relaxed);
  if (batches_.empty()) batches_.push_back(std::make_unique<Batch>());
  batch_ = batches_.front().get();
  batch_->filled(0);
}

int32_t Handle::open_on(Bus& new_bus) {
  bus = &new_bus;
  gate = &new_bus.gate;
  transport = new_bus.transport();
  ops = new_bus.ops();
  message_limit = new_bus.limits().message_bytes;
  groups_limit = std::min<uint32_t>(new_bus.limits().groups_per_message, EVS_MAX_GROUPS_PER_HANDLE);
  counted_slot = new_bus.counted_slot();
  sampling_ = new_bus.stats().sampling();

  Token begin{Token::Kind::begin, {}, new_bus.self()};
  int32_t status = new_bus.membership(begin.membership);
  if (status != EVS_P_OK) return status;
  told_self_ = begin.self;
  tokens_.push_back(std::move(begin));
  status = ops->cursor_open(transport, &cursor);
  if (status != EVS_P_OK) {
    tokens_.clear();
    return status;
  }
  dirty_.store(kToken, std::memory_order_release);
  return EVS_P_OK;
}

void Handle::close_on_bus(std::vector<groups::GroupKey>& still_joined) {
  const std::lock_guard guard(scan_lock_);
  try {
    std::vector<groups::GroupKey> keys = groups_.joined();
    // What waits to be joined again after an expulsion was not: leaving it would take the count of another handle.
    for (const groups::GroupKey& waits : to_join_again_)
      keys.erase(std::remove_if(keys.begin(), keys.end(), [&](const auto& key) { return groups::equal(key, waits); }), keys.end());
    for (size_t at = 0; at < keys.size(); at += groups::kGroupsPerControl) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(groups::kGroupsPerControl, keys.size() - at));
      if (still_joined.empty() &&
          bus->groups().append(groups::ControlType::leave, id, ++serial_sent_, &keys[at], count) != EVS_P_AGAIN) {
        continue;  // appended; or expelled or closed, and then there is nothing to leave
      }
      still_joined.insert(still_joined.end(), &keys[at], &keys[at] + count);
    }
  } catch (const std::bad_alloc&) {
    bus->log().warning("leave", "out of memory: a handle closed without leaving its groups one by one");
  }
  ops->cursor_close(cursor);
  cursor = nullptr;
}

void Handle::finish(Handle& handle) {
  handle.bus->wake_sleeper(handle);
  handle.closing_.store(1, std::memory_order_seq_cst);
  if (t_callback_depth > 0) return take_down_if_closing(handle);  // may not wait: the other callback may wait for us
  handle.callback_lock_.lock(&t_callback_depth);
  handle.release_callback_lock();
}

void Handle::take_down_if_closing(Handle& handle) {
  if (handle.callback_lock_.try_lock(&t_callback_depth)) handle.release_callback_lock();
}

void Handle::release_callback_lock() {
  const bool is_ours = forks_ == handle_table::g_forks.load(std::memory_order_relaxed);  // else the parent's: hands off
  if (is_ours && callback_lock_.depth() == 1 && closing_.load(std::memory_order_seq_cst) == 1) {
    const NoCancel not_in_here;
    // The lock last: an evs_finalize() that waits for it shall not answer before the bus is down.
    Bus* const was_on = take_down();
    handle_table::buses().release(*was_on);
    callback_lock_.unlock();
    handle_table::give_back(*this);
    return;
  }
  const bool outermost = callback_lock_.depth() == 1;
  callback_lock_.unlock();
  if (is_ours && outermost && closing_.load(std::memory_order_seq_cst) == 1) take_down_if_closing(*this);
}

Bus* Handle::take_down() {
  while (sleepers_.load(std::memory_order_seq_cst) != 0) {
    bus->wake_sleeper(*this);
    sched_yield();
  }
  presence::wait_until_outside(&is_this_handle, this);
  while (guests.load(std::memory_order_acquire) != 0) sched_yield();

  Bus* const was_on = bus;
  was_on->detach(*this);

  callbacks_ = {};
  has_deliver_ = false;
  dirty_.store(0, std::memory_order_relaxed);
  fd_wanted_.store(false, std::memory_order_relaxed);
  batches_.resize(1);  // nested ones are rare; this one stays warm, at its smallest
  batches_.front() = nullptr;
  batches_.clear();
  batch_ = nullptr;
  events_.clear();
  events_.shrink_to_fit();
  next_event_ = 0;
  teller_.reset();
  last_sender_ = {};
  watch_.clear();
  counts_.clear();
  callback_ns_ = 0;
  groups_ = {};
  serial_sent_ = serial_passed_ = 0;
  watching_ = leave_passed_ = stop_here_ = false;
  tokens_.clear();
  to_join_again_.clear();
  room_size_.store(0, std::memory_order_relaxed);
  room_asked_.store(false, std::memory_order_relaxed);
  snapshots.reset();
  closing_.store(0, std::memory_order_seq_cst);
  return was_on;
}

void Handle::notify() {
  if (fd_wanted_.load(std::memory_order_seq_cst)) ops->ring(cursor);
  ops->wake(cursor);
}

void Handle::post(Token token) {
  tokens_.push_back(std::move(token));
  dirty_.fetch_or(kToken, std::memory_order_release);
}

bool Handle::in_own_callback() const { return callback_lock_.held_by(&t_callback_depth); }

uint32_t Handle::joined_groups() {
  const std::lock_guard guard(scan_lock_);
  return groups_.joined_count();
}

void Handle::note_no_room(size_t size, uint32_t group_count) {
  if (callbacks_.extended.room == nullptr) return;
  room_size_.store(size, std::memory_order_relaxed);
  room_groups_.store(group_count, std::memory_order_relaxed);
  room_asked_.store(true, std::memory_order_release);
  if ((dirty_.fetch_or(kRoom, std::memory_order_acq_rel) & kRoom) == 0) bus->wake_service();
}

void Handle::ask_for_room() {
  if (!room_asked_.load(std::memory_order_acquire)) return;
  room_asked_.store(false, std::memory_order_relaxed);
  const int32_t status = ops->room(transport, cursor, room_size_.load(std::memory_order_relaxed),
                                   room_groups_.load(std::memory_order_relaxed));
  if (status != EVS_P_AGAIN) notify();  // AGAIN: the medium rings when there is some
}

void Handle::membership_changed() {
  {
    const std::lock_guard guard(scan_lock_);
    if (watching_) return;  // reads it at its place
    dirty_.fetch_or(kMembership, std::memory_order_release);
  }
  notify();
}

}  // namespace evs::runtime
