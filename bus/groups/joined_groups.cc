// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/joined_groups.cc - the counts, and the flat table that finds them.
#include "bus/groups/joined_groups.h"

namespace evs::groups {
namespace {

constexpr size_t kSmallestIndex = 16;

}  // namespace

const JoinedGroups::Entry* JoinedGroups::find(const GroupKey& key) const {
  if (index_.empty()) return nullptr;
  for (size_t at = probe(key);; at = (at + 1) & (index_.size() - 1)) {
    const uint32_t entry = index_[at];
    if (entry == 0) return nullptr;
    if (equal(entries_[entry - 1].key, key)) return &entries_[entry - 1];
  }
}

void JoinedGroups::index_anew() {
  size_t size = kSmallestIndex;
  while (size < 2 * (entries_.size() + 1)) size *= 2;
  index_.assign(size, 0);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    size_t at = probe(entries_[i].key);
    while (index_[at] != 0) at = (at + 1) & (size - 1);
    index_[at] = i + 1;
  }
}

bool JoinedGroups::add(const GroupKey& key) {
  Entry* entry = find(key);
  if (entry == nullptr) {
    entries_.push_back(Entry{key});
    if (index_.size() < 2 * entries_.size()) {
      try {
        index_anew();
      } catch (...) {
        entries_.pop_back();
        throw;
      }
    } else {
      size_t at = probe(key);
      while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
      index_[at] = static_cast<uint32_t>(entries_.size());
    }
    entry = &entries_.back();
  }
  if (entry->calls++ > 0) return false;
  ++joined_;
  return true;
}

bool JoinedGroups::remove(const GroupKey& key) {
  Entry* entry = find(key);
  if (entry == nullptr || entry->calls == 0 || --entry->calls > 0) return false;
  --joined_;
  return true;
}

uint32_t JoinedGroups::calls_of(const GroupKey& key) const {
  const Entry* entry = find(key);
  return entry == nullptr ? 0 : entry->calls;
}

void JoinedGroups::sent(const GroupKey& key) {
  if (Entry* entry = find(key)) ++entry->in_flight;
}

void JoinedGroups::set_effective(Entry& entry, bool effective) {
  if (entry.effective == effective) return;
  entry.effective = effective;
  effective_ += effective ? 1 : -1;
  if (effective_ != 1) return;
  for (const Entry& candidate : entries_)
    if (candidate.effective) only_ = words_of(candidate.key);
}

void JoinedGroups::passed_join(const GroupKey& key) {
  Entry* entry = find(key);
  if (entry == nullptr) return;
  if (entry->in_flight > 0) --entry->in_flight;
  set_effective(*entry, true);
}

void JoinedGroups::passed_leave(const GroupKey& key) {
  Entry* entry = find(key);
  if (entry == nullptr) return;
  if (entry->in_flight > 0) --entry->in_flight;
  set_effective(*entry, false);
}

void JoinedGroups::forget_positions() {
  for (Entry& entry : entries_) {
    entry.in_flight = 0;
    entry.effective = false;
  }
  effective_ = 0;
}

bool JoinedGroups::drop_if_done(const GroupKey& key) {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->calls > 0 || entry->in_flight > 0 || entry->effective) return false;
  entries_.erase(entries_.begin() + (entry - entries_.data()));
  if (!index_.empty()) {  // in place: leaving must not want memory
    index_.assign(index_.size(), 0);
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      size_t at = probe(entries_[i].key);
      while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
      index_[at] = i + 1;
    }
  }
  return true;
}

bool JoinedGroups::wants_slowly(const GroupKey* keys, uint32_t count) const {
  for (uint32_t i = 0; i < count; ++i) {
    const Entry* entry = find(keys[i]);
    if (entry != nullptr && entry->effective) return true;
  }
  return false;
}

std::vector<GroupKey> JoinedGroups::joined() const {
  std::vector<GroupKey> keys;
  keys.reserve(joined_);
  for (const Entry& entry : entries_)
    if (entry.calls > 0) keys.push_back(entry.key);
  return keys;
}

}  // namespace evs::groups
