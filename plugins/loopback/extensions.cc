// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/extensions.cc - what this transport offers beyond its tables, each found by its id.
#include <cstdio>
#include <cstring>

#include "control.h"
#include "transport.h"

namespace evs::loopback {
namespace {

// ---- evs.groups/1 ----
// stamp_join() and stamp_leave() come from before_commit, inside append(), whose thread holds the lock: Hold is then
// "nested", and the table is ours all the same.

GroupEntry* entry_of(evs_transport* self, uint64_t token) {
  const auto found = self->self->groups.find(token);
  return found == self->self->groups.end() ? nullptr : &found->second;  // a token of the life before an expulsion
}

int32_t announce(evs_transport* self, const evs_plugin_group* group, uint64_t* token) {
  return guarded([&] {
    const Hold hold(self->medium->lock);
    self->self->groups[self->next_token].group = *group;
    *token = self->next_token++;
    return EVS_P_OK;
  });
}

void stamp_join(evs_transport* self, uint64_t token, uint64_t position) {
  const Hold hold(self->medium->lock);
  if (GroupEntry* entry = entry_of(self, token)) entry->joined_at = position;
}

void stamp_leave(evs_transport* self, uint64_t token, uint64_t position) {
  const Hold hold(self->medium->lock);
  if (GroupEntry* entry = entry_of(self, token)) entry->left_at = position;
}

void retract(evs_transport* self, uint64_t token) {
  const Hold hold(self->medium->lock);
  self->self->groups.erase(token);
}

bool was_in(const Member& member, const evs_plugin_group& group, uint64_t position) {
  if (position == kNotYet ? member.gone : member.gone_at <= position) return false;
  for (const auto& [token, entry] : member.groups) {
    if (!GroupEqual{}(entry.group, group)) continue;
    if (position == kNotYet ? entry.holds_now() : entry.holds_at(position)) return true;
  }
  return false;
}

int32_t members(evs_transport* self, const evs_plugin_group* group, uint64_t position,
                void (*visit)(void* context, const evs_ordered_member* member), void* context) {
  return guarded([&] {
    std::vector<evs_ordered_member> found;  // visited without the lock: visit() is the host's code
    {
      const Hold hold(self->medium->lock);
      for (const auto& member : self->medium->members().all())
        if (was_in(*member, *group, position)) found.push_back(member->who);
    }
    for (const evs_ordered_member& member : found) visit(context, &member);
    return EVS_P_OK;
  });
}

constexpr evs_groups_extension kGroups = {
    sizeof(evs_groups_extension), 0, announce, stamp_join, stamp_leave, retract, members};

// ---- evs.introspect/1 ----

size_t dump(evs_transport* self, char* text, size_t capacity) {
  const Hold hold(self->medium->lock);
  Medium& medium = *self->medium;
  const int length = std::snprintf(
      text, capacity, "members %zu\ntail %llu\nused_bytes %llu\ncapacity_bytes %llu\nrefused_appends %llu\n",
      medium.membership()->members.size(), static_cast<unsigned long long>(medium.tail()),
      static_cast<unsigned long long>(medium.used()), static_cast<unsigned long long>(medium.capacity()),
      static_cast<unsigned long long>(medium.refused()));
  return length < 0 ? 0 : static_cast<size_t>(length);
}

constexpr evs_introspect_extension kIntrospect = {sizeof(evs_introspect_extension), 0, dump};

// ---- org.evs.loopback-control/1 ----

int32_t member_join(evs_transport* self, int32_t pid, uint32_t* nodeid) {
  return guarded([&] {
    std::shared_ptr<Member> member;
    const int32_t status = self->medium->join(pid, now_ns(), member);
    if (status == EVS_P_TIMEOUT) return EVS_P_AGAIN;
    if (status != EVS_P_OK) return static_cast<int>(status);
    const Hold hold(self->medium->lock);
    member->played = true;
    *nodeid = member->who.nodeid;
    return EVS_P_OK;
  });
}

// A member that a test plays; nullptr when there is none of that nodeid.
std::shared_ptr<Member> played(evs_transport* self, uint32_t nodeid) {
  const Hold hold(self->medium->lock);
  for (const auto& member : self->medium->members().all())
    if (member->played && !member->gone && member->who.nodeid == nodeid) return member;
  return nullptr;
}

int32_t member_go(evs_transport* self, uint32_t nodeid, int32_t reason) {
  return guarded([&]() -> int32_t {
    if (self->self->who.nodeid == nodeid) {
      if (reason != EVS_MEMBER_EXPELLED) return EVS_P_BAD_PARAMETER;
      self->medium->expel(*self->self);
      return EVS_P_OK;
    }
    const auto member = played(self, nodeid);
    if (member == nullptr || reason < EVS_MEMBER_LEFT || reason > EVS_MEMBER_EXPELLED) return EVS_P_BAD_PARAMETER;
    self->medium->leave(*member, reason);
    return EVS_P_OK;
  });
}

int32_t member_append(evs_transport* self, uint32_t nodeid, const evs_append* frame, uint64_t* position) {
  const auto member = played(self, nodeid);
  return member == nullptr ? EVS_P_BAD_PARAMETER : self->medium->append(*member, *frame, position, nullptr, nullptr);
}

int32_t member_group(evs_transport* self, uint32_t nodeid, const evs_plugin_group* group, uint64_t joined_at,
                     uint64_t left_at) {
  return guarded([&]() -> int32_t {
    const auto member = played(self, nodeid);
    if (member == nullptr) return EVS_P_BAD_PARAMETER;
    const Hold hold(self->medium->lock);
    for (auto& [token, entry] : member->groups) {
      if (!GroupEqual{}(entry.group, *group) || entry.joined_at != joined_at) continue;
      entry.left_at = left_at;
      return EVS_P_OK;
    }
    member->groups[self->next_token++] = {*group, joined_at, left_at};
    return EVS_P_OK;
  });
}

void fail(evs_transport* self) {
  self->medium->fail();
}

constexpr evs_loopback_control kControl = {
    sizeof(evs_loopback_control), 0, member_join, member_go, member_append, member_group, fail};

struct Extension {
  const char* id;
  const void* table;
};
constexpr Extension kExtensions[] = {
    {EVS_EXTENSION_GROUPS, &kGroups},
    {EVS_EXTENSION_INTROSPECT, &kIntrospect},
    {EVS_EXTENSION_LOOPBACK_CONTROL, &kControl},
};

}  // namespace

const void* find_extension(const char* id) {
  for (const Extension& extension : kExtensions)
    if (std::strcmp(extension.id, id) == 0) return extension.table;
  return nullptr;
}

}  // namespace evs::loopback
