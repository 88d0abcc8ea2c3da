// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_exchange.cc - hosts part and come together: what that makes of the configurations of processes.
#include <algorithm>
#include <utility>

#include "bus/ordering/host_set.h"
#include "bus/ordering/process_level.h"

namespace evs::ordering {
namespace {

// The changes that a ring begins with have the same number at all of its members, whether they had the one before or not.
constexpr uint64_t kParted = 2, kTogether = 4;

static_assert(kTogether + 2 * uint64_t{kMostChangesPerRing} < kLastChange - (1u << 20), "changes that are under way have their numbers");

uint64_t number_of(const RingId& ring, uint64_t change) { return ring.sequence << 32 | change; }

}  // namespace

void ProcessLevel::tell_configuration(Told::Kind kind, uint64_t number, Processes members, std::vector<Told>& told) {
  if (members.empty()) return;
  Told event;
  event.kind = kind;
  event.configuration.id = {number, members.front().node};
  event.configuration.members = std::move(members);
  told.push_back(std::move(event));
}

void ProcessLevel::change_configuration(Processes staying, Processes members, uint64_t number, std::vector<Told>& told) {
  change_ = number;
  owes_new_ring_ |= number >= kTogether + 2 * uint64_t{protocol_->settings().changes_per_ring};
  tell_configuration(Told::Kind::transitional, number_of(ring_, number - 1), std::move(staying), told);
  config_ = {};
  if (!members.empty()) config_ = {{number_of(ring_, number), members.front().node}, members};
  tell_configuration(Told::Kind::regular, number_of(ring_, number), std::move(members), told);
}

// The hosts' transitional configuration. Who goes on has delivered the same so far, so what follows is the same at all of them. Where nobody of the
// configuration is lost it simply goes on: a SAFE message that all of these hosts hold is held by all of its processes' hosts.
void ProcessLevel::on_hosts_part(const Configuration& hosts, std::vector<Told>& told) {
  folding_ = true;
  hosts_ = hosts.members;
  const auto goes_on = [&hosts](NodeId node) { return with_id(hosts.members, host_of(node)) != nullptr; };
  const auto parts = [&goes_on](const auto& entry) { return !goes_on(entry.first); };
  std::erase_if(table_, parts);
  if (told_table_) std::erase_if(*told_table_, parts);
  else told_table_ = table_;
  Processes staying;
  for (const Process& process : config_.members)
    if (goes_on(process.node)) staying.push_back(process);
  if (staying.size() == config_.members.size()) return;
  transition_ = staying;
  tell_configuration(Told::Kind::transitional, number_of(hosts.next, kParted - 1), std::move(staying), told);
}

void ProcessLevel::on_hosts(const Configuration& hosts, std::vector<Told>& told) {
  ring_ = hosts.ring;
  hosts_ = hosts.members;
  exchanged_ = folding_ = false;
  openings_.clear();
  owes_completion_ = owes_new_ring_ = false;
  owes_opening_ = true;
  if (!transition_) return;
  Processes members = std::move(*transition_);
  transition_.reset();
  config_ = {};
  if (!members.empty()) config_ = {{number_of(ring_, kParted), members.front().node}, members};
  tell_configuration(Told::Kind::regular, number_of(ring_, kParted), std::move(members), told);
}

void ProcessLevel::encode_opening(std::vector<std::byte>& out) const {
  Opening opening;
  opening.configuration = config_.id;
  opening.configuration_members = static_cast<uint32_t>(config_.members.size());
  for (const auto& [node, member] : table_) {
    if (host_of(node) != self_) continue;
    opening.processes.push_back(member);
    opening.processes.back().in_configuration = std::binary_search(config_.members.begin(), config_.members.end(), member.process);
  }
  records::encode(opening, out);
}

void ProcessLevel::on_opening(const Delivery& delivery, std::vector<Told>& told) {
  if (folding_ || exchanged_) return;  // of a ring whose exchange was broken off
  if (delivery.service != Service::agreed) return refuse(Refusal::malformed);  // it has no place that is the same for all
  Opening opening;
  if (!records::decode(delivery.bytes, delivery.sender.id, opening)) {
    refuse(Refusal::malformed);
    opening = {};  // the same at all who read it: a host without processes. To wait for a better one would be to wait for ever
  }
  openings_[delivery.sender.id] = std::move(opening);
  protocol_->heard_opening(delivery.sender.id);
  if (openings_.size() == hosts_.size()) finish_exchange(told);
}

// All who have processes have the same configuration in force, and nobody is missing from it or new.
std::optional<ConfigurationId> ProcessLevel::unchanged_everywhere() const {
  std::optional<ConfigurationId> id;
  size_t listed = 0, members = 0;
  for (const auto& [host, opening] : openings_) {
    if (opening.processes.empty()) continue;
    if (id && *id != opening.configuration) return std::nullopt;
    id = opening.configuration;
    members = opening.configuration_members;
    listed += opening.processes.size();
    for (const Member& member : opening.processes)
      if (!member.in_configuration) return std::nullopt;
  }
  if (!id) return ConfigurationId{};
  return listed == members ? id : std::nullopt;
}

void ProcessLevel::finish_exchange(std::vector<Told>& told) {
  exchanged_ = owes_completion_ = true;
  const std::optional<ConfigurationId> unchanged = unchanged_everywhere();
  if (!told_table_) told_table_ = std::move(table_);
  const std::map<NodeId, Member> before = std::move(*std::exchange(told_table_, std::nullopt));
  table_.clear();
  Processes members, staying;
  for (auto& [host, opening] : openings_) {
    const bool with_us = config_.id.number != 0 && opening.configuration == config_.id;
    for (Member& member : opening.processes) {
      if (with_us && member.in_configuration) staying.push_back(member.process);
      members.push_back(member.process);
      table_[member.process.node] = std::move(member);
    }
  }
  openings_.clear();
  if (unchanged) {
    config_ = {*unchanged, std::move(members)};
    change_ = kTogether;
  } else {
    change_configuration(std::move(staying), std::move(members), kTogether, told);
  }
  tell_changed_groups(before, told);
}

void ProcessLevel::tell_group(const Group& group, std::vector<Told>& told) const {
  Told event;
  event.kind = Told::Kind::group;
  event.group = group;
  for (const auto& [node, member] : table_)
    if (std::binary_search(member.groups.begin(), member.groups.end(), group)) event.joined.push_back(member.process);
  told.push_back(std::move(event));
}

// What came with the openings, other hosts' processes in groups; and what a transition brought. Who has gone is told by the configuration.
void ProcessLevel::tell_changed_groups(const std::map<NodeId, Member>& before, std::vector<Told>& told) {
  std::vector<Group> changed;
  for (const auto& [node, member] : table_) {
    const auto old = before.find(node);
    const bool known = old != before.end() && old->second.process == member.process;
    for (const Group& group : member.groups)
      if (!known || !std::binary_search(old->second.groups.begin(), old->second.groups.end(), group)) changed.push_back(group);
    if (!known) continue;
    for (const Group& group : old->second.groups)
      if (!std::binary_search(member.groups.begin(), member.groups.end(), group)) changed.push_back(group);
  }
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  for (const Group& group : changed) tell_group(group, told);
}

}  // namespace evs::ordering
