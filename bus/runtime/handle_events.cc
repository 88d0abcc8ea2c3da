// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle_events.cc - what a frame or a token means to the application.
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "bus/runtime/call.h"
#include "bus/runtime/handle.h"
#include "bus/runtime/no_cancel.h"

namespace evs::runtime {

using groups::ControlRecord;
using groups::ControlType;
using groups::GroupKey;
using groups::Processor;

namespace {

int32_t reason_of(const evs_ordered_member& gone) {
  switch (gone.reason) {
    case EVS_MEMBER_DIED: return EVS_REASON_DIED;
    case EVS_MEMBER_EXPELLED: return EVS_REASON_EXPELLED;
    case EVS_MEMBER_PARTED: return EVS_REASON_PARTED;
    default: return EVS_REASON_LEFT;
  }
}

const Processor as_processor(const evs_ordered_member& member) {
  return Processor{member.nodeid, member.pid, member.incarnation};
}

// evs_groups_extension::members calls it from C: no exception may leave.
struct Visit {
  std::vector<Processor> found;
  bool out_of_memory = false;
};
void add_member(void* context, const evs_ordered_member* member) {
  auto& visit = *static_cast<Visit*>(context);
  try {
    visit.found.push_back(as_processor(*member));
  } catch (...) {
    visit.out_of_memory = true;
  }
}

}  // namespace

bool Handle::due(const Event& event) const {
  if (std::holds_alternative<Configuration>(event))
    return callbacks_.extended.configure != nullptr || callbacks_.compatible.evs_confchg_fn != nullptr;
  if (std::holds_alternative<RoomEvent>(event)) return callbacks_.extended.room != nullptr;
  return wants_group_changes();
}

void Handle::add_configurations(std::vector<Configuration>& configurations) {
  for (Configuration& configuration : configurations) {
    SendCounts::add(counts_.configurations, 1);
    events_.emplace_back(std::move(configuration));
  }
}

void Handle::add_group_changes(std::vector<evs_group_change_t>& changes) {
  for (const evs_group_change_t& change : changes) events_.emplace_back(change);
}

void Handle::expand(const Token& token) {
  std::vector<Configuration> configurations;
  switch (token.kind) {
    case Token::Kind::begin:
      teller_.begin(token.membership, token.self, configurations);
      break;
    case Token::Kind::membership:
      told_self_ = token.self;
      teller_.advance(token.membership, configurations);
      break;
    case Token::Kind::expelled:
      teller_.expelled(token.self, configurations);
      watch_.clear();  // our joins come again, and with them who is there
      break;
  }
  add_configurations(configurations);
}

void Handle::expand_membership(const evs_frame& frame) {
  const auto& raw = *static_cast<const evs_membership*>(frame.data);
  if (!teller_.is_news(raw.ring_sequence, raw.change)) return;
  std::vector<Configuration> configurations;
  teller_.advance(copy_of(raw), configurations);
  add_configurations(configurations);
  if (!wants_group_changes()) return;
  std::vector<evs_group_change_t> changes;
  for (uint32_t i = 0; i < raw.left_count; ++i) watch_.gone(as_processor(raw.left[i]), reason_of(raw.left[i]), changes);
  add_group_changes(changes);
}

std::vector<Processor> Handle::members_at(const GroupKey& key, uint64_t position) const {
  const evs_groups_extension* extension = bus->groups_extension();
  if (extension == nullptr) return {};
  const NoCancel not_in_here;
  Visit visit;
  extension->members(transport, reinterpret_cast<const evs_plugin_group*>(&key), position, &add_member, &visit);
  if (visit.out_of_memory) throw std::bad_alloc();
  return std::move(visit.found);
}

cs_error_t Handle::members_told(const GroupKey& key, std::vector<Processor>& found) const {
  if (!wants_group_changes()) return CS_ERR_NOT_SUPPORTED;
  std::optional<std::vector<Processor>> members = watch_.members(key);
  if (!members) return CS_ERR_NOT_EXIST;
  found = std::move(*members);
  return CS_OK;
}

Handle::Step Handle::expand_control(Call& call, const evs_frame& frame) {
  ControlRecord record;
  if (!groups::decode(frame.data, frame.size, record)) return Step::silent;
  const bool own = record.handle == id && frame.nodeid == told_self_.nodeid && frame.incarnation == told_self_.incarnation;
  const bool joins = record.type == ControlType::join;
  if (own && joins && !call.enter()) return Step::gone;
  Processor who{frame.nodeid, 0, frame.incarnation};
  who.pid = teller_.pid_of(who.nodeid, who.incarnation);

  const auto* keys = reinterpret_cast<const GroupKey*>(frame.groups);
  std::vector<evs_group_change_t> changes;
  for (uint32_t i = 0; i < frame.group_count; ++i) {
    if (own && joins) {
      std::vector<Processor> present = members_at(keys[i], frame.position);
      // Our process is a member by this very record, or was one by another handle: the first is news, the second is not.
      present.erase(std::remove(present.begin(), present.end(), who), present.end());
      if (!record.is_processor_change(i)) present.push_back(who);
      watch_.open(keys[i], std::move(present));
    }
    if (record.is_processor_change(i)) {
      if (joins) {
        watch_.joined(keys[i], who, changes);
      } else {
        watch_.left(keys[i], who, changes);
      }
    }
    if (own && !joins) watch_.close(keys[i]);
  }
  add_group_changes(changes);
  return Step::silent;
}

// Of groups that are not watched here GroupWatch makes nothing.
void Handle::expand_groups(const evs_frame& frame) {
  const auto* told = static_cast<const evs_plugin_group_change*>(frame.data);
  std::vector<evs_group_change_t> changes;
  for (size_t i = 0; i < frame.size / sizeof *told; ++i) {
    GroupKey key;
    std::memcpy(&key, &told[i].group, sizeof key);
    if (told[i].who.reason == EVS_MEMBER_JOINED) watch_.joined(key, as_processor(told[i].who), changes);
    else watch_.left(key, as_processor(told[i].who), changes);
  }
  add_group_changes(changes);
}

Handle::Step Handle::expand(Call& call, const evs_frame& frame) {
  if (frame.kind == EVS_FRAME_CONTROL) return expand_control(call, frame);
  if (frame.kind == EVS_FRAME_MEMBERSHIP) expand_membership(frame);
  if (frame.kind == EVS_FRAME_GROUPS) expand_groups(frame);
  return Step::silent;
}

}  // namespace evs::runtime
