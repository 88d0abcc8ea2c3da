// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/group_watch.cc - the replicas and the changes they tell of.
#include "bus/groups/group_watch.h"

#include <algorithm>
#include <utility>

namespace evs::groups {
namespace {

evs_group_change_t change_of(const GroupKey& key, const Processor& who, int32_t reason) {
  evs_group_change_t change{};
  change.struct_size = sizeof change;
  change.nodeid = who.nodeid;
  change.pid = who.pid;
  change.reason = reason;
  change.group = key;
  return change;
}

bool take_out(std::vector<Processor>& members, const Processor& who) {
  const auto found = std::find(members.begin(), members.end(), who);
  if (found == members.end()) return false;
  members.erase(found);
  return true;
}

}  // namespace

void GroupWatch::open(const GroupKey& key, std::vector<Processor> present) {
  const std::lock_guard guard(mutex_);
  members_[key] = std::move(present);
}

void GroupWatch::close(const GroupKey& key) {
  const std::lock_guard guard(mutex_);
  members_.erase(key);
}

void GroupWatch::clear() {
  const std::lock_guard guard(mutex_);
  members_.clear();
}

std::optional<std::vector<Processor>> GroupWatch::members(const GroupKey& key) const {
  const std::lock_guard guard(mutex_);
  const auto group = members_.find(key);
  return group == members_.end() ? std::nullopt : std::optional(group->second);
}

void GroupWatch::joined(const GroupKey& key, const Processor& who, std::vector<evs_group_change_t>& changes) {
  const std::lock_guard guard(mutex_);
  const auto group = members_.find(key);
  if (group == members_.end()) return;
  if (std::find(group->second.begin(), group->second.end(), who) != group->second.end()) return;
  group->second.push_back(who);
  changes.push_back(change_of(key, who, EVS_REASON_JOINED));
}

void GroupWatch::left(const GroupKey& key, const Processor& who, std::vector<evs_group_change_t>& changes) {
  const std::lock_guard guard(mutex_);
  const auto group = members_.find(key);
  if (group == members_.end() || !take_out(group->second, who)) return;
  changes.push_back(change_of(key, who, EVS_REASON_LEFT));
}

void GroupWatch::gone(const Processor& who, int32_t reason, std::vector<evs_group_change_t>& changes) {
  const std::lock_guard guard(mutex_);
  for (auto& [key, members] : members_)
    if (take_out(members, who)) changes.push_back(change_of(key, who, reason));
}

}  // namespace evs::groups
