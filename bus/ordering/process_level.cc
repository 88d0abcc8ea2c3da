// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_level.cc - what the processes of this host ask for, and what hosts' events mean to them.
#include "bus/ordering/process_level.h"

#include <algorithm>
#include <utility>

namespace evs::ordering {
namespace {

size_t added_to_opening(Change what) {
  return what == Change::join ? records::kMemberBytes : what == Change::join_group ? records::kGroupBytes : 0;
}

}  // namespace

bool ProcessLevel::opening_has_room(size_t more) const {
  size_t processes = 0, groups = 0;
  for (const auto& [node, member] : table_) {
    if (host_of(node) != self_) continue;
    ++processes;
    groups += member.groups.size();
  }
  return records::opening_bytes(processes, groups) + pending_bytes_ + more <= opening_limit_;
}

Submitted ProcessLevel::submit(Instant now, const ChangeRecord& record, uint64_t& number, Output& out) {
  const size_t more = added_to_opening(record.what);
  if (more != 0 && !opening_has_room(more)) return Submitted::too_big;
  buffer_.clear();
  records::encode(record, buffer_);
  const Submitted result = protocol_->submit_change(now, buffer_, number, out);
  if (result == Submitted::ok) pending_bytes_ += more;
  return result;
}

Submitted ProcessLevel::join(Instant now, const Process& process, uint64_t& number, Output& out) {
  if (host_of(process.node) != self_ || present_.count(process.node) != 0) return Submitted::closed;
  const Submitted result = submit(now, {Change::join, process, {}}, number, out);
  if (result == Submitted::ok) present_[process.node] = process;
  return result;
}

Submitted ProcessLevel::leave(Instant now, NodeId node, Change how, uint64_t& number, Output& out) {
  const auto found = present_.find(node);
  if (found == present_.end()) return Submitted::closed;
  const Submitted result = submit(now, {how, found->second, {}}, number, out);
  if (result == Submitted::ok) present_.erase(found);
  return result;
}

Submitted ProcessLevel::change_group(Instant now, NodeId node, Change how, const Group& group, uint64_t& number, Output& out) {
  const auto found = present_.find(node);
  if (found == present_.end()) return Submitted::closed;
  return submit(now, {how, found->second, group}, number, out);
}

Submitted ProcessLevel::send(Instant now, NodeId node, Service service, Bytes payload, uint64_t& number, Output& out) {
  if (present_.count(node) == 0) return Submitted::closed;
  buffer_.clear();
  records::encode_message(node, payload, buffer_);
  return protocol_->submit(now, service, buffer_, number, out);
}

bool ProcessLevel::follow_up(Instant now, Output& out) {
  if (std::exchange(owes_opening_, false)) {
    buffer_.clear();
    encode_opening(buffer_);
    uint64_t number = 0;
    if (protocol_->submit_opening(now, buffer_, number, out) != Submitted::ok) ++refused_;
    return true;
  }
  if (std::exchange(owes_completion_, false)) {
    protocol_->exchange_complete(now, out);
    return true;
  }
  return false;
}

void ProcessLevel::digest(const Output& out, const Effect& effect, std::vector<Told>& told) {
  if (effect.kind == Effect::Kind::deliver) return on_delivery(out.deliveries[effect.begin], told);
  if (effect.kind != Effect::Kind::configuration) return;
  const Configuration& hosts = out.configurations[effect.begin];
  if (hosts.regular) on_hosts(hosts, told);
  else on_hosts_part(hosts, told);
}

void ProcessLevel::on_delivery(const Delivery& delivery, std::vector<Told>& told) {
  RecordKind kind{};
  if (!records::kind_of(delivery.bytes, kind)) {
    ++refused_;
  } else if (kind == RecordKind::message) {
    on_message(delivery, told);
  } else if (kind == RecordKind::change) {
    on_change(delivery, told);
  } else {
    on_opening(delivery, told);
  }
}

void ProcessLevel::on_message(const Delivery& delivery, std::vector<Told>& told) {
  NodeId sender = 0;
  Told message;
  if (!records::decode_message(delivery.bytes, delivery.sender.id, sender, message.payload)) {
    ++refused_;
    return;
  }
  const auto at = std::lower_bound(config_.members.begin(), config_.members.end(), Process{sender, 0, 0});
  if (at == config_.members.end() || at->node != sender) {
    ++refused_;
    return;
  }
  message.process = *at;
  message.service = delivery.service;
  message.in_transition = transition_.has_value();
  told.push_back(std::move(message));
}

// A process of this host has its place in the order: joined, or gone.
void ProcessLevel::on_own_change(const ChangeRecord& record, std::vector<Told>& told) {
  pending_bytes_ -= std::min(pending_bytes_, added_to_opening(record.what));
  if (record.what != Change::leave && record.what != Change::died) return;
  Told gone;
  gone.kind = Told::Kind::gone;
  gone.process = record.process;
  told.push_back(std::move(gone));
}

void ProcessLevel::on_change(const Delivery& delivery, std::vector<Told>& told) {
  ChangeRecord record;
  if (!records::decode(delivery.bytes, delivery.sender.id, record)) {
    ++refused_;
    return;
  }
  const auto known = table_.find(record.process.node);
  const bool is_there = known != table_.end() && known->second.process == record.process;
  if (is_there == (record.what == Change::join)) {  // a second join; or of somebody whom nobody knows
    ++refused_;
    return;
  }
  const bool in_force = exchanged_ && !folding_;
  switch (record.what) {
    case Change::join:
      if (known != table_.end()) {  // its nodeid is somebody else's
        ++refused_;
        return;
      }
      table_[record.process.node] = {record.process, in_force, {}};
      break;
    case Change::leave:
    case Change::died:
      table_.erase(known);
      break;
    case Change::join_group:
    case Change::leave_group: {
      std::vector<Group>& groups = known->second.groups;
      const auto at = std::lower_bound(groups.begin(), groups.end(), record.group);
      const bool has = at != groups.end() && *at == record.group;
      if (record.what == Change::join_group && !has) groups.insert(at, record.group);
      if (record.what == Change::leave_group && has) groups.erase(at);
      if (has != (record.what == Change::leave_group)) break;
      if (in_force) tell_group(record.group, told);
      else untold_.push_back(record.group);
      break;
    }
  }
  if (in_force && (record.what == Change::join || record.what == Change::leave || record.what == Change::died)) {
    Processes staying = config_.members, members = config_.members;
    if (record.what == Change::join) {
      members.insert(std::lower_bound(members.begin(), members.end(), record.process), record.process);
    } else {
      std::erase(staying, record.process);
      std::erase(members, record.process);
    }
    change_configuration(std::move(staying), std::move(members), change_ + 2, told);
  }
  if (host_of(record.process.node) == self_) on_own_change(record, told);
}

}  // namespace evs::ordering
