// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_level.cc - what the processes of this host ask for, and what hosts' events mean to them.
#include "bus/ordering/process_level.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "bus/ordering/host_set.h"
#include "bus/ordering/primary_bytes.h"

namespace evs::ordering {
namespace {

size_t added_to_opening(const ChangeRecord& record) {
  return record.what == Change::join ? records::kMemberBytes : record.what == Change::join_group ? record.groups.size() * records::kGroupBytes : 0;
}

// Of the record's groups those that the process is not in yet.
size_t new_groups(const ChangeRecord& record, const std::vector<Group>& groups) {
  return static_cast<size_t>(std::count_if(record.groups.begin(), record.groups.end(),
                                           [&](const Group& group) { return !std::binary_search(groups.begin(), groups.end(), group); }));
}

}  // namespace

bool ProcessLevel::opening_has_room(size_t more) const {
  const size_t votes = voter_.quorum.rule == Quorum::Rule::off ? 0 : records::kMaxVoterBytes;
  return opening_bytes(state_.table, self_) + pending_bytes_ + more <= std::min(opening_limit_ - std::min<size_t>(opening_limit_, votes), kMaxOpeningBytes);
}

// One that it is in already counts too while it has no place: what is taken here is taken by everybody.
bool ProcessLevel::may_join(NodeId node, size_t more) const {
  const auto known = state_.table.find(node);
  const size_t in = known == state_.table.end() ? 0 : known->second.groups.size();
  return in + present_.at(node).joining + more <= std::min(protocol_->settings().groups_per_process, kMaxGroupsOfProcess);
}

Submitted ProcessLevel::submit(Instant now, const ChangeRecord& record, uint64_t& number, Output& out) {
  const size_t more = added_to_opening(record);
  if (more != 0 && !opening_has_room(more)) return Submitted::too_big;
  buffer_.clear();
  records::encode(record, buffer_);
  const Submitted result = protocol_->submit_change(now, buffer_, number, out);
  if (result == Submitted::ok) pending_bytes_ += more;
  return result;
}

Submitted ProcessLevel::join(Instant now, const Process& process, uint64_t& number, Output& out) {
  if (catching_up_) return not_yet();
  if (host_of(process.node) != self_ || present_.count(process.node) != 0) return Submitted::closed;
  const Submitted result = submit(now, {Change::join, process, {}, {}}, number, out);
  if (result == Submitted::ok) present_[process.node] = {process};
  return result;
}

Submitted ProcessLevel::leave(Instant now, NodeId node, Change how, uint64_t& number, Output& out) {
  if (catching_up_) return not_yet();
  const auto found = present_.find(node);
  if (found == present_.end()) return Submitted::closed;
  const Submitted result = submit(now, {how, found->second.process, {}, {}}, number, out);
  if (result == Submitted::ok) present_.erase(found);
  return result;
}

Submitted ProcessLevel::change_groups(Instant now, NodeId node, Change how, std::vector<Group> groups, Bytes carried, uint64_t& number, Output& out) {
  if (catching_up_) return not_yet();
  const auto found = present_.find(node);
  if (found == present_.end()) return Submitted::closed;
  const size_t joining = how == Change::join_group ? groups.size() : 0;
  if (joining != 0 && !may_join(node, joining)) return Submitted::too_big;
  const Submitted result = submit(now, {how, found->second.process, std::move(groups), carried}, number, out);
  if (result == Submitted::ok) found->second.joining += static_cast<uint32_t>(joining);
  return result;
}

Submitted ProcessLevel::send(Instant now, NodeId node, Service service, Bytes payload, uint64_t& number, Output& out) {
  if (catching_up_) return not_yet();
  if (present_.count(node) == 0) return Submitted::closed;
  buffer_.clear();
  records::encode_message(node, payload, buffer_);
  return protocol_->submit(now, service, buffer_, number, out);
}

bool ProcessLevel::restore(Bytes saved) {
  ProcessState state;
  if (!stored::decode(saved, self_, state)) return false;
  state_ = std::move(state);
  if (is_voting(state_)) attempt_ = decide(state_).attempt;
  catching_up_ = true;
  ++revision_;
  return true;
}

// All that the process before this one said has been delivered, and nothing of what this one was asked to say is on its way.
void ProcessLevel::caught_up() {
  catching_up_ = false;
  for (auto at = state_.table.lower_bound(self_ << kSlotBits); at != state_.table.end() && host_of(at->first) == self_; ++at)
    present_[at->first] = {at->second.process};
}

bool ProcessLevel::follow_up(Instant now, Output& out) {
  if (std::exchange(owes_opening_, false)) {
    buffer_.clear();
    encode_opening(buffer_);
    uint64_t number = 0;
    protocol_->submit_opening(now, buffer_, number, out);  // it has room; and a host that has left owes nobody anything
    return true;
  }
  if (std::exchange(owes_vote_, false)) {
    buffer_.clear();
    records::encode(Vote{attempt_.ring, attempt_.epoch}, buffer_);
    uint64_t number = 0;
    protocol_->submit_opening(now, buffer_, number, out);
    return true;
  }
  if (std::exchange(owes_completion_, false)) {
    protocol_->exchange_complete(now, out);
    return true;
  }
  if (std::exchange(owes_new_ring_, false)) {
    protocol_->form_anew(now, out);
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
  if (!records::kind_of(delivery.bytes, kind)) return refuse(Refusal::malformed);
  if (kind == RecordKind::message) return on_message(delivery, told);
  if (kind == RecordKind::change) return on_change(delivery, told);
  if (kind == RecordKind::vote) return on_vote(delivery, told);
  on_opening(delivery, told);
}

uint64_t ProcessLevel::refused_total() const { return std::accumulate(refused_.begin(), refused_.end(), uint64_t{0}); }

std::string ProcessLevel::refusals_text() const {
  constexpr const char* kNames[] = {"malformed", "no member", "contradicts", "out of turn", "too much"};
  static_assert(std::size(kNames) == static_cast<size_t>(Refusal::count_));
  std::string text;
  for (size_t i = 0; i < refused_.size(); ++i)
    if (refused_[i] != 0) text += std::string(text.empty() ? "" : ", ") + kNames[i] + " " + std::to_string(refused_[i]);
  return text;
}

void ProcessLevel::on_message(const Delivery& delivery, std::vector<Told>& told) {
  NodeId sender = 0;
  Told message;
  if (!records::decode_message(delivery.bytes, delivery.sender.id, sender, message.payload)) return refuse(Refusal::malformed);
  const auto at = std::lower_bound(state_.config.members.begin(), state_.config.members.end(), Process{sender, 0, 0});
  if (at == state_.config.members.end() || at->node != sender) return refuse(Refusal::no_member);
  message.process = *at;
  message.service = delivery.service;
  message.in_transition = state_.transition.has_value();
  told.push_back(std::move(message));
}

// A change of a process of this host has its place: it waits no longer.
void ProcessLevel::settle(const ChangeRecord& record) {
  pending_bytes_ -= std::min(pending_bytes_, added_to_opening(record));
  const auto found = present_.find(record.process.node);
  if (record.what == Change::join_group && found != present_.end() && found->second.process == record.process)
    found->second.joining -= std::min(found->second.joining, static_cast<uint32_t>(record.groups.size()));
}

// By the record and the table alone, which are the same at all who read it at this place.
std::optional<Refusal> ProcessLevel::fault_of(const ChangeRecord& record) const {
  if (!state_.exchanged && !state_.folding) return Refusal::out_of_turn;
  const bool is_configuration = record.what == Change::join || record.what == Change::leave || record.what == Change::died;
  if (is_configuration && !state_.folding && !has_next_change(state_.change)) return Refusal::too_much;
  const auto known = state_.table.find(record.process.node);
  const auto too_much = [&](size_t more) {
    return more != 0 && opening_bytes(state_.table, host_of(record.process.node)) + more > kMaxOpeningBytes ? std::optional(Refusal::too_much) : std::nullopt;
  };
  if (record.what == Change::join) {
    if (known != state_.table.end()) return Refusal::contradicts;  // it is there, or its nodeid is somebody else's
    return too_much(added_to_opening(record));
  }
  if (known == state_.table.end() || known->second.process != record.process) return Refusal::contradicts;
  if (record.what != Change::join_group) return std::nullopt;
  const std::vector<Group>& groups = known->second.groups;
  const size_t more = new_groups(record, groups);
  return groups.size() + more > kMaxGroupsOfProcess ? std::optional(Refusal::too_much) : too_much(more * records::kGroupBytes);
}

void ProcessLevel::on_change(const Delivery& delivery, std::vector<Told>& told) {
  ChangeRecord record;
  if (delivery.service != Service::agreed || !records::decode(delivery.bytes, delivery.sender.id, record)) return refuse(Refusal::malformed);
  const bool own = host_of(record.process.node) == self_;
  if (own) settle(record);
  if (state_.folding && !contains(state_.hosts, delivery.sender)) return;  // its host parts from us, and its processes have been taken out with it
  if (const auto why = fault_of(record)) return refuse(*why);
  put_into_table(record, told);
  if (own && !record.carried.empty()) {
    Told carried;
    carried.kind = Told::Kind::carried;
    carried.process = record.process;
    carried.payload = record.carried;
    told.push_back(std::move(carried));
  }
  const bool goes = record.what == Change::leave || record.what == Change::died;
  if (state_.exchanged && !state_.folding && (goes || record.what == Change::join)) {
    Processes staying = state_.config.members, members = state_.config.members;
    if (goes) {
      std::erase(staying, record.process);
      std::erase(members, record.process);
    } else {
      members.insert(std::lower_bound(members.begin(), members.end(), record.process), record.process);
    }
    change_configuration(std::move(staying), std::move(members), state_.change + 2, told);
  }
  if (!own || !goes) return;
  Told gone;
  gone.kind = Told::Kind::gone;
  gone.process = record.process;
  told.push_back(std::move(gone));
}

void ProcessLevel::put_into_table(const ChangeRecord& record, std::vector<Told>& told) {
  const bool in_force = state_.exchanged && !state_.folding;
  if (record.what == Change::join) {
    state_.table[record.process.node] = {record.process, in_force, {}};
    ++revision_;
    return;
  }
  const auto known = state_.table.find(record.process.node);
  if (record.what == Change::leave || record.what == Change::died) {
    state_.table.erase(known);
    ++revision_;
    return;
  }
  std::vector<Group>& groups = known->second.groups;
  for (const Group& group : record.groups) {
    const auto at = std::lower_bound(groups.begin(), groups.end(), group);
    const bool has = at != groups.end() && *at == group, joins = record.what == Change::join_group;
    if (has == joins) continue;
    ++revision_;
    if (joins) groups.insert(at, group);
    else groups.erase(at);
    if (in_force) tell_group(group, state_.table, told);
    else tell_in_transition(record, group, told);
  }
}

}  // namespace evs::ordering
