// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/configuration.cc - set arithmetic on sorted lists of members.
#include "bus/runtime/configuration.h"

#include <algorithm>

namespace evs::runtime {
namespace {

using Members = std::vector<evs_ordered_member>;

bool same(const evs_ordered_member& a, const evs_ordered_member& b) {
  return a.nodeid == b.nodeid && a.incarnation == b.incarnation;
}

const evs_ordered_member* find_in(const Members& members, const evs_ordered_member& who) {
  for (const auto& member : members)
    if (same(member, who)) return &member;
  return nullptr;
}

evs_member_t told(const evs_ordered_member& member, int32_t reason) {
  return evs_member_t{member.nodeid, member.pid, reason, 0};
}

int32_t reason_of(int32_t plugin_reason) {
  switch (plugin_reason) {
    case EVS_MEMBER_JOINED:
      return EVS_REASON_JOINED;
    case EVS_MEMBER_LEFT:
      return EVS_REASON_LEFT;
    case EVS_MEMBER_DIED:
      return EVS_REASON_DIED;
    case EVS_MEMBER_EXPELLED:
      return EVS_REASON_EXPELLED;
    case EVS_MEMBER_PARTED:
      return EVS_REASON_PARTED;
    default:
      return EVS_REASON_NONE;
  }
}

uint32_t lowest(const Members& members) {
  uint32_t nodeid = members.empty() ? 0 : members.front().nodeid;
  for (const auto& member : members) nodeid = std::min(nodeid, member.nodeid);
  return nodeid;
}

// Only a regular one is primary.
void say_epoch(Configuration& regular, const Membership& of) {
  regular.epoch = of.epoch;
  if (of.epoch != 0) regular.flags |= EVS_CONFIGURATION_PRIMARY;
}

}  // namespace

void ConfigurationTeller::begin(const Membership& now, const evs_ordered_member& self,
                                std::vector<Configuration>& out) {
  Configuration first;
  told_sequence_ = sequence(now.ring_sequence, now.change);
  first.id = current_ = {lowest(now.members), told_sequence_};
  for (const auto& member : now.members) {
    const bool is_self = same(member, self);
    first.members.push_back(told(member, is_self ? EVS_REASON_JOINED : EVS_REASON_NONE));
    if (is_self) first.joined.push_back(told(member, EVS_REASON_JOINED));
  }
  say_epoch(first, now);
  members_ = now.members;
  out.push_back(std::move(first));
}

int32_t ConfigurationTeller::pid_of(uint32_t nodeid, uint64_t incarnation) const {
  for (const auto& member : members_)
    if (member.nodeid == nodeid && member.incarnation == incarnation) return member.pid;
  return 0;
}

// Who of the last one told is in `next`, too.
Configuration ConfigurationTeller::transitional_to(const Membership& next, uint64_t number) const {
  Configuration transitional;
  transitional.kind = EVS_CONFIGURATION_TRANSITIONAL;
  uint32_t representative = 0;
  for (const auto& member : members_) {
    if (find_in(next.members, member) != nullptr) {
      transitional.members.push_back(told(member, EVS_REASON_NONE));
      if (representative == 0 || member.nodeid < representative) representative = member.nodeid;
    } else {
      // Of merged changes only the last one's reasons are known.
      const auto* gone = find_in(next.left, member);
      transitional.left.push_back(told(member, gone == nullptr ? EVS_REASON_NONE : reason_of(gone->reason)));
    }
  }
  transitional.id = {representative, number};
  return transitional;
}

void ConfigurationTeller::advance(const Membership& next, std::vector<Configuration>& out) {
  if (!is_news(next.ring_sequence, next.change)) return;
  const uint64_t next_sequence = sequence(next.ring_sequence, next.change);
  if ((next_sequence & 1) != 0) {
    if (lonely_) return;  // of a configuration that we were expelled from
    out.push_back(transitional_to(next, next_sequence));
    members_ = next.members;
    told_sequence_ = next_sequence;
    in_transition_ = true;
    return;
  }
  const bool told_transition = in_transition_ && next_sequence == told_sequence_ + 1;
  const bool merged = !lonely_ && !told_transition && next_sequence > told_sequence_ + 2;

  Configuration regular;
  regular.flags = merged ? EVS_CONFIGURATION_MERGED : 0;
  regular.id = {lowest(next.members), next_sequence};
  for (const auto& member : next.members) {
    const bool stays = find_in(members_, member) != nullptr;
    regular.members.push_back(told(member, stays ? EVS_REASON_NONE : EVS_REASON_JOINED));
    if (!stays) regular.joined.push_back(told(member, EVS_REASON_JOINED));
  }

  if (lonely_) {  // the lonely configuration was the transitional one; nobody of it stays, under that nodeid
    for (const auto& member : members_)
      if (find_in(next.members, member) == nullptr) regular.left.push_back(told(member, EVS_REASON_EXPELLED));
  } else if (!told_transition) {
    Configuration transitional = transitional_to(next, next_sequence - 1);
    transitional.flags = regular.flags;
    out.push_back(std::move(transitional));
  }
  say_epoch(regular, next);
  members_ = next.members;
  told_sequence_ = next_sequence;
  current_ = regular.id;
  lonely_ = in_transition_ = false;
  out.push_back(std::move(regular));
}

void ConfigurationTeller::expelled(const evs_ordered_member& old_self, std::vector<Configuration>& out) {
  Configuration lonely;
  lonely.kind = EVS_CONFIGURATION_TRANSITIONAL;
  lonely.flags = EVS_CONFIGURATION_EXPELLED;
  lonely.id = {old_self.nodeid, told_sequence_ + 1};
  lonely.members.push_back(told(old_self, EVS_REASON_NONE));
  for (const auto& member : members_)
    if (!same(member, old_self)) lonely.left.push_back(told(member, EVS_REASON_NONE));
  members_ = {old_self};
  lonely_ = true;
  out.push_back(std::move(lonely));
}

}  // namespace evs::runtime
