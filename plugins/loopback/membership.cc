// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/membership.cc - the table of members and the frames made of it.
#include "membership.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "record.h"

namespace evs::loopback {

void Membership::write(std::byte* at) const {
  std::memcpy(at, &head, sizeof(head));
  at += sizeof(head);
  if (!members.empty()) std::memcpy(at, members.data(), members.size() * sizeof(evs_ordered_member));
  at += members.size() * sizeof(evs_ordered_member);
  if (!left.empty()) std::memcpy(at, left.data(), left.size() * sizeof(evs_ordered_member));
}

int32_t Membership::write(void* buffer, size_t size, size_t* needed) const {
  *needed = bytes();
  if (size < bytes()) return EVS_P_TOO_BIG;
  write(static_cast<std::byte*>(buffer));
  place_lists(static_cast<std::byte*>(buffer));
  return EVS_P_OK;
}

Member* MemberTable::find(uint32_t nodeid) const {
  for (const auto& member : members_)
    if (!member->gone && member->who.nodeid == nodeid) return member.get();
  return nullptr;
}

std::shared_ptr<Member> MemberTable::add(int32_t pid) {
  // Slots go round, so that a nodeid comes back as late as possible: whoever mixes up two lives of one is found early.
  for (uint64_t tried = 0; tried < limit_; ++tried) {
    last_slot_ = static_cast<uint32_t>(last_slot_ % limit_ + 1);
    if (std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return m->who.nodeid == last_slot_; }))
      continue;
    auto member = std::make_shared<Member>();
    member->who = {last_slot_, pid, ++incarnation_, EVS_MEMBER_JOINED, 0};
    members_.push_back(member);
    changed_ = true;
    return member;
  }
  return nullptr;
}

void MemberTable::undo_add(const Member& member) {
  members_.erase(std::remove_if(members_.begin(), members_.end(), [&](const auto& m) { return m.get() == &member; }),
                 members_.end());
}

void MemberTable::remove(Member& member, int32_t reason) {
  member.gone = true;
  member.who.reason = reason;
  changed_ = true;
}

std::shared_ptr<Membership> MemberTable::next(const Membership& in_force, uint64_t position) const {
  auto next = std::make_shared<Membership>();
  const auto was_in = [&](const evs_ordered_member& who) {
    return std::any_of(in_force.members.begin(), in_force.members.end(),
                       [&](const evs_ordered_member& m) { return m.incarnation == who.incarnation; });
  };
  bool news = false;
  for (const auto& member : members_) {
    const bool old = was_in(member->who);
    news |= old == member->gone;
    if (member->gone && old) next->left.push_back(member->who);
    if (member->gone) continue;
    next->members.push_back(member->who);
    next->members.back().reason = old ? EVS_MEMBER_STAYS : EVS_MEMBER_JOINED;
  }
  if (!news) return nullptr;
  const auto by_nodeid = [](const evs_ordered_member& a, const evs_ordered_member& b) { return a.nodeid < b.nodeid; };
  std::sort(next->members.begin(), next->members.end(), by_nodeid);
  std::sort(next->left.begin(), next->left.end(), by_nodeid);

  next->head = in_force.head;  // the ring sequence stays
  next->head.struct_size = sizeof(evs_membership);
  next->head.member_count = static_cast<uint32_t>(next->members.size());
  next->head.left_count = static_cast<uint32_t>(next->left.size());
  next->head.change = in_force.head.change + 2;  // odd numbers are the transitional configurations between
  next->head.position = position;
  next->head.members = next->head.left = nullptr;  // set where it is written
  return next;
}

void MemberTable::installed(uint64_t position) {
  changed_ = false;
  for (const auto& member : members_)
    if (member->gone && member->gone_at == kNotYet) member->gone_at = position;
}

void MemberTable::forget_before(uint64_t position) {
  members_.erase(std::remove_if(members_.begin(), members_.end(), [&](const auto& m) { return m->gone_at < position; }),
                 members_.end());
  for (const auto& member : members_)
    for (auto entry = member->groups.begin(); entry != member->groups.end();)
      entry = entry->second.left_at < position ? member->groups.erase(entry) : std::next(entry);
}

}  // namespace evs::loopback
