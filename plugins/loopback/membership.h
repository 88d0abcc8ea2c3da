// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/membership.h - who is in the medium, who was, and which groups each of them has joined.
//
// A change of the table becomes a membership frame as soon as there is room for one; changes that wait for room become
// one frame together. Whoever went stays in the table until every reader has passed the frame that says so, because
// until then a reader may ask who was in a group at an earlier position.
//
// Everything is guarded by the medium's lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "evs/plugin.h"

namespace evs::loopback {

inline constexpr uint64_t kNotYet = UINT64_MAX;  // a position that is behind every other

struct GroupEntry {
  evs_plugin_group group{};
  uint64_t joined_at = kNotYet;
  uint64_t left_at = kNotYet;

  bool holds_at(uint64_t position) const { return joined_at != kNotYet && joined_at <= position && position < left_at; }
  bool holds_now() const { return joined_at != kNotYet && left_at == kNotYet; }
};

struct Member {
  evs_ordered_member who{};  // reason: why it went, once it did
  bool gone = false;
  bool played = false;                    // by a test, through the control extension
  uint64_t gone_at = kNotYet;             // position of the frame that says so
  uint64_t lost = 0;                      // of an expelled one: messages that its readers will not read
  std::map<uint64_t, GroupEntry> groups;  // by token
};

// A membership in force. What evs_membership points to, owned.
struct Membership {
  evs_membership head{};
  std::vector<evs_ordered_member> members, left;

  uint64_t bytes() const { return sizeof(head) + (members.size() + left.size()) * sizeof(evs_ordered_member); }
  void write(std::byte* at) const;  // bytes() of them
  // As the membership functions of evs_ordered_ops: EVS_P_OK or EVS_P_TOO_BIG, *needed in both cases.
  int32_t write(void* buffer, size_t size, size_t* needed) const;
};

class MemberTable {
 public:
  explicit MemberTable(uint64_t limit) : limit_(limit) {}

  std::shared_ptr<Member> add(int32_t pid);  // nullptr: full
  void remove(Member& member, int32_t reason);
  void undo_add(const Member& member);  // it was in no membership frame yet
  Member* find(uint32_t nodeid) const;  // a present one
  const std::vector<std::shared_ptr<Member>>& all() const { return members_; }
  uint64_t limit() const { return limit_; }

  // Does the table differ from the membership in force?
  bool changed() const { return changed_; }
  // The next membership, as it would stand at `position`, nullptr when nobody came or went after all; installed() once
  // it does.
  std::shared_ptr<Membership> next(const Membership& in_force, uint64_t position) const;
  void installed(uint64_t position);
  // Forgets who went, and left groups, at positions that every reader has passed.
  void forget_before(uint64_t position);

 private:
  std::vector<std::shared_ptr<Member>> members_;
  const uint64_t limit_;
  uint64_t incarnation_ = 0;
  uint32_t last_slot_ = 0;
  bool changed_ = false;
};

}  // namespace evs::loopback
