// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle_groups.cc - joining and leaving: counted by the call, effective at the record's place.
//
// A join does three things in this order: says that frames to the groups concern the cursor, puts a parked cursor at the end
// of the order, and appends the record. So nothing between the record and the first read is missed. When the append finds no
// room everything is undone and nothing was joined. Repeated joins of a group already joined change a count and append nothing.
#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "bus/runtime/call.h"
#include "bus/runtime/handle.h"
#include "bus/runtime/no_cancel.h"
#include "bus/runtime/presence.h"

namespace evs::runtime {

using groups::ControlType;
using groups::GroupKey;

namespace {

const evs_plugin_group* as_plugin(const GroupKey* keys) { return reinterpret_cast<const evs_plugin_group*>(keys); }

// Runs `attempt` inside; when this process turns out to be expelled, waits for the rejoin and runs it once more.
template <class Attempt>
cs_error_t with_rejoin(Call& call, Attempt attempt) {
  for (int turn = 0;; ++turn) {
    if (call.gate() != kGateOpen) return CS_ERR_TRY_AGAIN;  // groups are being joined again
    const int32_t status = attempt();
    if (status == EVS_P_CLOSED) call.handle().bus->close("the transport has failed");
    if (status != EVS_P_EXPELLED || turn == 1) return error_of_status(status);
    const int32_t rejoined = await_rejoin(call, kRejoinWaitNs);
    if (rejoined != EVS_P_OK) return call.inside() ? error_of_status(rejoined) : call.error();
  }
}

}  // namespace

cs_error_t Handle::join(Call& call, const evs_group* keys, size_t count) {
  if (count == 0) return CS_OK;
  if (keys == nullptr) return CS_ERR_INVALID_PARAM;
  if (count > EVS_MAX_GROUPS_PER_CALL) return CS_ERR_TOO_MANY_GROUPS;
  bool too_many = false;
  const cs_error_t answer = with_rejoin(call, [&]() -> int32_t {
    const std::lock_guard guard(scan_lock_);
    too_many = groups_.joined_count() + count > EVS_MAX_GROUPS_PER_HANDLE;
    return too_many ? EVS_P_NO_RESOURCES : join_locked(keys, count);
  });
  return too_many ? CS_ERR_TOO_MANY_GROUPS : answer;
}

cs_error_t Handle::leave(Call& call, const evs_group* keys, size_t count) {
  if (count == 0) return CS_OK;
  if (keys == nullptr) return CS_ERR_INVALID_PARAM;
  if (count > EVS_MAX_GROUPS_PER_CALL) return CS_ERR_TOO_MANY_GROUPS;
  bool all_were_joined = true;
  const cs_error_t answer = with_rejoin(call, [&] {
    const std::lock_guard guard(scan_lock_);
    return leave_locked(keys, count, all_were_joined);
  });
  return answer == CS_OK && !all_were_joined ? CS_ERR_NOT_EXIST : answer;
}

int32_t Handle::join_locked(const evs_group* keys, size_t count) {
  std::vector<GroupKey> first_joins, new_entries;
  first_joins.reserve(count);
  new_entries.reserve(count);
  size_t counted = 0;
  bool interested = false;
  const bool was_watching = watching_;
  const auto undo = [&] {
    for (size_t i = 0; i < counted; ++i) groups_.remove(keys[i]);
    for (const GroupKey& key : new_entries) groups_.drop_if_done(key);
    if (interested) ops->interest_remove(cursor, as_plugin(new_entries.data()), static_cast<uint32_t>(new_entries.size()));
    if (!was_watching && watching_) {
      ops->park(cursor);
      watching_ = false;
      dirty_.fetch_or(kMembership, std::memory_order_release);  // a change may have come while it watched
    }
  };

  int32_t status = EVS_P_OK;
  std::unique_ptr<groups::JoinedSnapshot> next;
  try {
    for (; counted < count; ++counted) {
      const bool is_new = !groups_.knows(keys[counted]);
      if (!groups_.add(keys[counted])) continue;
      first_joins.push_back(keys[counted]);
      if (is_new) new_entries.push_back(keys[counted]);
    }
    if (first_joins.empty()) return EVS_P_OK;
    next = groups::JoinedSnapshots::make(groups_.joined());
    snapshots.reserve();
    if (!new_entries.empty()) {
      status = ops->interest_add(cursor, as_plugin(new_entries.data()), static_cast<uint32_t>(new_entries.size()));
      interested = status == EVS_P_OK;
    }
    if (status == EVS_P_OK && !watching_) status = start_watching();
    if (status == EVS_P_OK) {
      status = bus->groups().append(ControlType::join, id, serial_sent_ + 1, first_joins.data(),
                                    static_cast<uint32_t>(first_joins.size()));
    }
  } catch (...) {
    undo();
    throw;
  }
  if (status != EVS_P_OK) {
    undo();
    return status;
  }
  ++serial_sent_;
  for (const GroupKey& key : first_joins) groups_.sent(key);
  publish_groups(std::move(next));
  return EVS_P_OK;
}

int32_t Handle::leave_locked(const evs_group* keys, size_t count, bool& all_were_joined) {
  std::vector<GroupKey> last_leaves;
  last_leaves.reserve(count);
  size_t counted = 0;
  const auto undo = [&] {
    for (size_t i = 0; i < counted; ++i) groups_.add(keys[i]);  // its entry is still there: no memory is needed
  };
  all_were_joined = true;
  for (; counted < count; ++counted) {
    if (groups_.calls_of(keys[counted]) == 0) {
      all_were_joined = false;
      break;
    }
    if (groups_.remove(keys[counted])) last_leaves.push_back(keys[counted]);
  }
  if (last_leaves.empty()) return EVS_P_OK;
  int32_t status = EVS_P_OK;
  std::unique_ptr<groups::JoinedSnapshot> next;
  try {
    next = groups::JoinedSnapshots::make(groups_.joined());
    snapshots.reserve();
    status = bus->groups().append(ControlType::leave, id, serial_sent_ + 1, last_leaves.data(),
                                  static_cast<uint32_t>(last_leaves.size()));
  } catch (...) {
    undo();
    throw;
  }
  if (status != EVS_P_OK) {
    undo();
    return status;
  }
  ++serial_sent_;
  for (const GroupKey& key : last_leaves) groups_.sent(key);
  publish_groups(std::move(next));
  return EVS_P_OK;
}

int32_t Handle::start_watching() {
  Token token{Token::Kind::membership, {}, bus->self()};
  tokens_.reserve(tokens_.size() + 1);
  const int32_t status = Bus::read_membership(
      [this](void* buffer, size_t size, size_t* needed) { return ops->watch(cursor, buffer, size, needed); },
      token.membership);
  if (status != EVS_P_OK) return status;
  watching_ = true;
  put_off(std::move(token));  // what changed while it was parked, told before what it reads
  return EVS_P_OK;
}

void Handle::publish_groups(std::unique_ptr<groups::JoinedSnapshot> next) {
  snapshots.publish(std::move(next));
  if (!snapshots.wants_reclaim()) return;
  presence::heavy_barrier();
  // Our own presence is this call's, which uses none. A sender who is there now may use an old one: next time, then.
  if (guests.load(std::memory_order_seq_cst) == 0 && !presence::is_inside(&is_this_handle, this, true)) {
    snapshots.reclaim();
  }
}

void Handle::drop_passed_groups() {
  if (!leave_passed_) return;
  leave_passed_ = false;
  const NoCancel not_in_here;
  for (size_t i = groups_.entries().size(); i-- > 0;) {
    const GroupKey key = groups_.entries()[i].key;
    if (groups_.drop_if_done(key)) ops->interest_remove(cursor, as_plugin(&key), 1);
  }
  if (groups_.empty() && watching_) {
    ops->park(cursor);
    watching_ = false;
    dirty_.fetch_or(kMembership, std::memory_order_release);
  }
}

void Handle::rejoined(const evs_ordered_member& old_self) {
  const std::lock_guard guard(scan_lock_);
  post(Token{Token::Kind::expelled, {}, old_self});
  groups_.forget_positions();
  serial_passed_ = serial_sent_;
  watching_ = false;
  leave_passed_ = true;
  drop_passed_groups();
  to_join_again_ = groups_.joined();
  int32_t status = EVS_P_OK;
  if (to_join_again_.empty()) {
    Token now{Token::Kind::membership, {}, bus->self()};
    status = bus->membership(now.membership);
    if (status == EVS_P_OK) post(std::move(now));
  } else {
    status = start_watching();
  }
  if (status == EVS_P_CLOSED) bus->close("the transport has failed");
  notify();
}

bool Handle::join_again() {
  const std::lock_guard guard(scan_lock_);
  if (!to_join_again_.empty() && !watching_) {
    // A member may stand in a claim before the end of the order: then rejoined() found no place to begin at.
    const int32_t status = start_watching();
    if (status == EVS_P_OK) notify();
    else if (status == EVS_P_EXPELLED || status == EVS_P_CLOSED) to_join_again_.clear();
    else return false;
  }
  while (!to_join_again_.empty()) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(groups::kGroupsPerControl, to_join_again_.size()));
    const GroupKey* keys = &to_join_again_[to_join_again_.size() - count];
    const int32_t status = bus->groups().append(ControlType::join, id, serial_sent_ + 1, keys, count);
    if (status == EVS_P_AGAIN) return false;
    if (status == EVS_P_EXPELLED || status == EVS_P_CLOSED) break;  // again: the next rejoin begins anew
    if (status != EVS_P_OK) {
      // Without them it would be deaf without knowing. Sends wait (TRY_AGAIN) until it is possible.
      bus->log().warning("rejoin", std::string("a handle's groups cannot be joined again after the expulsion yet: ") + text_of_status(status));
      return false;
    }
    ++serial_sent_;
    for (uint32_t i = 0; i < count; ++i) groups_.sent(keys[i]);
    to_join_again_.resize(to_join_again_.size() - count);
  }
  to_join_again_.clear();
  return true;
}

}  // namespace evs::runtime
