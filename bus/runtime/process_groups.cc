// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/process_groups.cc - count, announce, append, stamp; or take it all back.
#include "bus/runtime/process_groups.h"

#include "bus/runtime/check.h"

namespace evs::runtime {

using groups::ControlType;
using groups::GroupKey;

void ProcessGroups::attach(evs_transport* transport, const evs_ordered_ops* ops, const evs_groups_extension* extension) {
  transport_ = transport;
  ops_ = ops;
  extension_ = extension;
}

void ProcessGroups::before_commit(void* context, uint64_t position) {
  const Stamp& stamp = *static_cast<const Stamp*>(context);
  const auto& extension = *stamp.owner->extension_;
  const auto say = stamp.type == ControlType::join ? extension.stamp_join : extension.stamp_leave;
  for (const uint64_t token : stamp.tokens) say(stamp.owner->transport_, token, position);
}

int32_t ProcessGroups::announce(const GroupKey* keys, uint32_t count, Stamp& stamp) {
  if (extension_ == nullptr) return EVS_P_OK;
  for (uint32_t i = 0; i < count; ++i) {
    Joined& joined = joined_.at(keys[i]);
    if (joined.handles > 0) continue;
    const int32_t status =
        extension_->announce(transport_, reinterpret_cast<const evs_plugin_group*>(&keys[i]), &joined.token);
    if (status != EVS_P_OK) return status;
    stamp.tokens.push_back(joined.token);  // reserved by the caller
  }
  return EVS_P_OK;
}

void ProcessGroups::retract(const Stamp& stamp) {
  if (stamp.type == ControlType::join)
    for (const uint64_t token : stamp.tokens) extension_->retract(transport_, token);
}

int32_t ProcessGroups::append(ControlType type, uint64_t handle, uint64_t serial, const GroupKey* keys, uint32_t count) {
  EVS_CHECK(count <= groups::kGroupsPerControl);
  const std::lock_guard guard(mutex_);
  Stamp stamp{this, type, {}};
  stamp.tokens.reserve(count);
  groups::ControlRecord record{type, handle, serial, 0};
  const bool joining = type == ControlType::join;
  for (uint32_t i = 0; i < count; ++i) {
    if (joining) joined_.try_emplace(keys[i]);
    // Not there: joined before a rejoin, and its record was not appended again. The others know nothing of it either.
    const auto joined = joined_.find(keys[i]);
    if (joined != joined_.end() && joined->second.handles == (joining ? 0u : 1u)) {
      record.processor_changes |= uint64_t{1} << i;
      if (!joining) stamp.tokens.push_back(joined->second.token);
    }
  }
  int32_t status = joining ? announce(keys, count, stamp) : EVS_P_OK;
  if (status == EVS_P_OK) {
    groups::ControlBytes bytes = encode(record);
    const iovec payload{bytes.data(), bytes.size()};
    evs_append frame{};
    frame.struct_size = sizeof frame;
    frame.kind = EVS_FRAME_CONTROL;
    frame.guarantee = EVS_TYPE_AGREED;
    frame.group_count = count;
    frame.groups = reinterpret_cast<const evs_plugin_group*>(keys);
    frame.iov = &payload;
    frame.iov_count = 1;
    frame.size = bytes.size();
    uint64_t position = 0;
    const bool stamps = extension_ != nullptr && !stamp.tokens.empty();
    status = ops_->append(transport_, &frame, &position, stamps ? &ProcessGroups::before_commit : nullptr, &stamp);
  }
  if (status != EVS_P_OK) {
    retract(stamp);
    if (joining)
      for (uint32_t i = 0; i < count; ++i)
        if (joined_.at(keys[i]).handles == 0) joined_.erase(keys[i]);
    return status;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const auto entry = joined_.find(keys[i]);
    if (joining) {
      ++entry->second.handles;
    } else if (entry != joined_.end() && --entry->second.handles == 0) {
      joined_.erase(entry);
    }
  }
  return EVS_P_OK;
}

void ProcessGroups::forget_all() {
  const std::lock_guard guard(mutex_);
  joined_.clear();
}

}  // namespace evs::runtime
