// SPDX-License-Identifier: BSD-3-Clause
// bus/api/calls.cc - the calls on a handle, but for sending.
#include <algorithm>
#include <cstring>

#include "bus/api/boundary.h"
#include "bus/api/number.h"
#include "bus/runtime/plugin_host.h"
#include "evs/evs.h"

namespace evs::api {
namespace {

using namespace evs::runtime;

// The caller's struct may be older and shorter: it gets as much as it has room for, and is told how much that is.
template <class T>
cs_error_t hand_out(T own, T* to) {
  const auto size = static_cast<uint32_t>(std::min<size_t>(to->struct_size, sizeof own));
  if (size < 2 * sizeof(uint32_t)) return CS_ERR_INVALID_PARAM;
  own.struct_size = size;
  std::memcpy(static_cast<void*>(to), &own, size);
  return CS_OK;
}

uint32_t lowest_nodeid(const Membership& membership) {
  uint32_t lowest = 0;
  for (const auto& member : membership.members)
    if (lowest == 0 || member.nodeid < lowest) lowest = member.nodeid;
  return lowest;
}

struct MemberVisit {
  evs_member_t* members;
  size_t room;
  size_t count;
};
void visit_member(void* context, const evs_ordered_member* member) {
  auto& visit = *static_cast<MemberVisit*>(context);
  if (visit.members != nullptr && visit.count < visit.room)
    visit.members[visit.count] = evs_member_t{member->nodeid, member->pid, EVS_REASON_NONE, 0};
  ++visit.count;
}

}  // namespace
}  // namespace evs::api

using namespace evs::runtime;
using evs::api::guarded;

extern "C" {

cs_error_t evs_fd_get(evs_handle_t handle, int* fd) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) { return fd == nullptr ? CS_ERR_INVALID_PARAM : mine.fd(call, *fd); });
}

cs_error_t evs_context_get(evs_handle_t handle, void** context) {
  Call call(handle);
  if (!call.inside()) return call.error();
  if (context == nullptr) return CS_ERR_INVALID_PARAM;
  *context = call.handle().context.load(std::memory_order_acquire);
  return CS_OK;
}

cs_error_t evs_context_set(evs_handle_t handle, void* context) {
  Call call(handle);
  if (!call.inside()) return call.error();
  call.handle().context.store(context, std::memory_order_release);
  return CS_OK;
}

cs_error_t evs_dispatch(evs_handle_t handle, cs_dispatch_flags_t flags) {
  const int how = evs::api::number_of(flags);
  Call call(handle, how == CS_DISPATCH_ALL || how == CS_DISPATCH_ONE_NONBLOCKING ? IfClosed::answer : IfClosed::wait);
  if (!call.inside()) return call.error();
  if (how == CS_DISPATCH_ALL && call.handle().is_idle()) return CS_OK;
  if (how < CS_DISPATCH_ONE || how > CS_DISPATCH_ONE_NONBLOCKING) return CS_ERR_INVALID_PARAM;
  return evs::api::guarded_calling_back(call, [&](Handle& mine) { return mine.dispatch(call, flags); });
}

cs_error_t evs_join(evs_handle_t handle, const struct evs_group* groups, size_t group_entries) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) { return mine.join(call, groups, group_entries); });
}

cs_error_t evs_leave(evs_handle_t handle, const struct evs_group* groups, size_t group_entries) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) { return mine.leave(call, groups, group_entries); });
}

cs_error_t evs_membership_get(evs_handle_t handle, unsigned int* local_nodeid, unsigned int* member_list,
                              size_t* member_list_entries) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) {
    Membership now;
    const int32_t status = mine.bus->membership(now);
    if (status != EVS_P_OK) return error_of_status(status);
    if (local_nodeid != nullptr) *local_nodeid = mine.bus->self().nodeid;
    if (member_list_entries == nullptr) return CS_OK;  // no room was named: nothing is written
    const size_t room = *member_list_entries;
    for (size_t i = 0; member_list != nullptr && i < std::min(room, now.members.size()); ++i)
      member_list[i] = now.members[i].nodeid;
    *member_list_entries = now.members.size();
    return CS_OK;
  });
}

cs_error_t evs_group_members(evs_handle_t handle, const struct evs_group* group, evs_member_t* members, size_t* entries) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) {
    if (group == nullptr || entries == nullptr || (members == nullptr && *entries > 0)) return CS_ERR_INVALID_PARAM;
    const evs_groups_extension* extension = mine.bus->groups_extension();
    if (extension == nullptr) return CS_ERR_NOT_SUPPORTED;
    evs::api::MemberVisit visit{members, *entries, 0};
    const int32_t status = extension->members(mine.transport, reinterpret_cast<const evs_plugin_group*>(group), UINT64_MAX,
                                              &evs::api::visit_member, &visit);
    if (status == EVS_P_NOT_SUPPORTED) {
      std::vector<evs::groups::Processor> told;
      if (const cs_error_t answer = mine.members_told(*group, told); answer != CS_OK) return answer;
      for (size_t i = 0; i < told.size() && i < *entries; ++i) members[i] = evs_member_t{told[i].nodeid, told[i].pid, EVS_REASON_NONE, 0};
      *entries = told.size();
      return CS_OK;
    }
    if (status == EVS_P_OK) *entries = visit.count;
    return error_of_status(status);
  });
}

cs_error_t evs_limits(evs_handle_t handle, evs_limits_t* limits) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) {
    if (limits == nullptr) return CS_ERR_INVALID_PARAM;
    evs_limits_t own{};
    own.members = mine.bus->limits().members;
    own.message_bytes = mine.message_limit;
    own.groups_per_message = mine.groups_limit;
    own.groups_per_handle = EVS_MAX_GROUPS_PER_HANDLE;
    own.groups_per_call = EVS_MAX_GROUPS_PER_CALL;
    own.handles = EVS_MAX_HANDLES;
    return evs::api::hand_out(own, limits);
  });
}

cs_error_t evs_status(evs_handle_t handle, evs_status_t* status) {
  Call call(handle);
  return guarded(call, [&](Handle& mine) {
    if (status == nullptr) return CS_ERR_INVALID_PARAM;
    Bus& bus = *mine.bus;
    Membership now;
    const int32_t read = bus.membership(now);
    if (read != EVS_P_OK) return error_of_status(read);
    evs_ordered_usage usage{};
    usage.struct_size = sizeof usage;
    mine.ops->usage(mine.transport, &usage);
    const Bus::Totals totals = bus.totals();
    evs_status_t own{};
    own.nodeid = bus.self().nodeid;
    own.members = static_cast<uint32_t>(now.members.size());
    own.handles = bus.handle_count();
    own.joined_groups = mine.joined_groups();
    own.configuration = {evs::api::lowest_nodeid(now), now.ring_sequence << 32 | (now.change & 0xffffffffu)};
    own.sent_messages = totals.sent.messages;
    own.sent_bytes = totals.sent.bytes;
    own.delivered_messages = mine.delivered().all_messages();
    own.delivered_bytes = mine.delivered().bytes.load(std::memory_order_relaxed);
    own.configurations = mine.delivered().configurations.load(std::memory_order_relaxed);
    own.try_again = totals.sent.try_again();
    own.expulsions = totals.expulsions;
    own.lost_messages = totals.lost_messages;
    own.ring_capacity_bytes = usage.capacity_bytes;
    own.ring_used_bytes = usage.used_bytes;
    own.lag_bytes = mine.ops->lag(mine.cursor);
    own.holder_nodeid = usage.holder_nodeid;
    own.holder_pid = usage.holder_pid;
    own.outsider_messages = totals.outsider_messages;
    own.epoch = now.epoch;
    return evs::api::hand_out(own, status);
  });
}

cs_error_t evs_plugin_register(const void* entry, char* error, size_t error_size) {
  return guarded([&] {
    const auto registered = PluginHost::register_plugin(entry);
    if (registered) return CS_OK;
    if (error != nullptr && error_size > 0) {
      const std::string& text = registered.failure().text;
      const size_t length = std::min(text.size(), error_size - 1);
      std::memcpy(error, text.data(), length);
      error[length] = '\0';
    }
    return registered.failure().code;
  });
}

const char* evs_version(void) { return EVS_VERSION_TEXT; }

}  // extern "C"
