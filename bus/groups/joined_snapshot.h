// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/joined_snapshot.h - the groups that evs_mcast_joined() sends to, as one array that never changes.
//
// A join or leave publishes a new array; senders pick up whichever is there with one load and use it inside one call.
// The old ones wait here until no sender can be using them (the handle asks its threads' presence records).
//
//   NEXT  current_: release in publish -> acquire in current(). The array is filled before it is seen.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bus/groups/group_key.h"

namespace evs::groups {

struct JoinedSnapshot {
  std::vector<GroupKey> keys;
};

class JoinedSnapshots {
 public:
  static constexpr size_t kRetiredMax = 16;  // then the caller is asked to make sure that nobody uses them

  // [signal] nullptr: no group joined.
  const JoinedSnapshot* current() const { return current_.load(std::memory_order_acquire); }  // NEXT

  static std::unique_ptr<JoinedSnapshot> make(std::vector<GroupKey> keys) {
    if (keys.empty()) return nullptr;
    auto snapshot = std::make_unique<JoinedSnapshot>();
    snapshot->keys = std::move(keys);
    return snapshot;
  }
  // So that publish() cannot fail.
  void reserve() { retired_.reserve(retired_.size() + 1); }
  void publish(std::unique_ptr<JoinedSnapshot> next) {
    std::unique_ptr<JoinedSnapshot> before = std::move(owned_);
    owned_ = std::move(next);
    current_.store(owned_.get(), std::memory_order_release);  // NEXT
    if (before != nullptr) retired_.push_back(std::move(before));
  }
  bool wants_reclaim() const { return retired_.size() >= kRetiredMax; }
  void reclaim() { retired_.clear(); }  // while no sender is inside

  void reset() {
    publish_none();
    retired_.clear();
    retired_.shrink_to_fit();
  }

 private:
  void publish_none() {
    current_.store(nullptr, std::memory_order_release);
    owned_.reset();
  }

  std::atomic<const JoinedSnapshot*> current_{nullptr};
  std::unique_ptr<JoinedSnapshot> owned_;
  std::vector<std::unique_ptr<JoinedSnapshot>> retired_;
};

}  // namespace evs::groups
