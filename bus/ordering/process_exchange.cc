// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_exchange.cc - hosts part and come together: what that makes of the configurations of processes.
#include <algorithm>
#include <utility>

#include "bus/ordering/host_set.h"
#include "bus/ordering/mutant.h"
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
  if (kind == Told::Kind::regular) event.configuration.epoch = state_.config.epoch;
  told.push_back(std::move(event));
}

void ProcessLevel::change_configuration(Processes staying, Processes members, uint64_t number, std::vector<Told>& told) {
  state_.change = number;
  owes_new_ring_ |= number >= kTogether + 2 * uint64_t{protocol_->settings().changes_per_ring};
  tell_configuration(Told::Kind::transitional, number_of(state_.ring, number - 1), std::move(staying), told);
  state_.config.id = {};
  if (!members.empty()) state_.config.id = {number_of(state_.ring, number), members.front().node};
  state_.config.members = members;
  tell_configuration(Told::Kind::regular, number_of(state_.ring, number), std::move(members), told);
}

// The hosts' transitional configuration. Who goes on has delivered the same so far, so what follows is the same at all of them. Where nobody of the
// configuration is lost it simply goes on: a SAFE message that all of these hosts hold is held by all of its processes' hosts. A primary one does
// not: what is said from here on is held by fewer hosts than a majority, perhaps, and others may be primary soon.
void ProcessLevel::on_hosts_part(const Configuration& hosts, std::vector<Told>& told) {
  ++revision_;
  state_.folding = true;
  state_.openings.clear();  // the exchange is broken off
  state_.votes.clear();
  owes_vote_ = false;
  state_.hosts = hosts.members;
  const auto goes_on = [&hosts](NodeId node) { return with_id(hosts.members, host_of(node)) != nullptr; };
  const auto parts = [&goes_on](const auto& entry) { return !goes_on(entry.first); };
  std::erase_if(state_.table, parts);
  if (state_.told_table) std::erase_if(*state_.told_table, parts);
  else state_.told_table = state_.table;
  Processes staying;
  for (const Process& process : state_.config.members)
    if (goes_on(process.node)) staying.push_back(process);
  if (state_.config.members.empty() || (staying.size() == state_.config.members.size() && !state_.config.is_primary())) return;
  state_.transition = staying;
  tell_configuration(Told::Kind::transitional, number_of(hosts.next, kParted - 1), std::move(staying), told);
}

void ProcessLevel::on_hosts(const Configuration& hosts, std::vector<Told>& told) {
  ++revision_;
  state_.ring = hosts.ring;
  state_.hosts = hosts.members;
  state_.exchanged = state_.folding = false;
  state_.openings.clear();
  state_.votes.clear();
  state_.config.epoch = 0;
  owes_vote_ = owes_completion_ = owes_new_ring_ = false;
  owes_opening_ = true;
  if (catching_up_ && contains(hosts.members, protocol_->settings().self)) caught_up();
  if (!state_.transition) return;
  Processes members = std::move(*state_.transition);
  state_.transition.reset();
  state_.config = {};
  if (!members.empty()) state_.config = {{number_of(state_.ring, kParted), members.front().node}, members};
  tell_configuration(Told::Kind::regular, number_of(state_.ring, kParted), std::move(members), told);
}

void ProcessLevel::encode_opening(std::vector<std::byte>& out) const {
  Opening opening;
  opening.configuration = state_.config.id;
  opening.configuration_members = static_cast<uint32_t>(state_.config.members.size());
  for (const auto& [node, member] : state_.table) {
    if (host_of(node) != self_) continue;
    opening.processes.push_back(member);
    opening.processes.back().in_configuration = std::binary_search(state_.config.members.begin(), state_.config.members.end(), member.process);
  }
  opening.voter = voter_;
  records::encode(opening, out);
}

void ProcessLevel::on_opening(const Delivery& delivery, std::vector<Told>& told) {
  if (state_.folding || state_.exchanged) return;  // of a ring whose exchange was broken off
  if (delivery.service != Service::agreed) return refuse(Refusal::malformed);  // it has no place that is the same for all
  Opening opening;
  if (!records::decode(delivery.bytes, delivery.sender.id, opening)) {
    refuse(Refusal::malformed);
    opening = {};  // the same at all who read it: a host without processes. To wait for a better one would be to wait for ever
  }
  ++revision_;
  state_.openings[delivery.sender.id] = std::move(opening);
  protocol_->heard_opening(delivery.sender.id);
  if (state_.openings.size() == state_.hosts.size()) on_all_openings(told);
}

// The openings have one place for all, so all come to the same. A ring that tries waits for all votes, at one place as well.
void ProcessLevel::on_all_openings(std::vector<Told>& told) {
  const Decision decision = decide(state_);
  verdict_ = decision.verdict;
  if (verdict_ != Verdict::forms) return finish_exchange(0, told);
  attempt_ = decision.attempt;
  protocol_->begin_votes();
  // A successor whose disk was lost delivers the openings of a ring that is over; its predecessor's names that disk. The try is somebody else's, and no vote of ours: written
  // down under our own name it would be a record that no host can have come to, and the next life of this one would be refused it.
  if (!contains(attempt_.hosts, {self_, voter_.disk}) && !planted(Mutant::try_of_another_disk)) return;
  write_down(with_attempt(voter_.record, decision), told);
  if (planted(Mutant::try_stored_late)) told.pop_back();
  if (planted(Mutant::votes_not_awaited)) return finish_exchange(attempt_.epoch, told);
  owes_vote_ = true;
}

// Before what is told behind it is carried out, and before any call that follows: so before our vote leaves.
void ProcessLevel::write_down(PrimaryRecord record, std::vector<Told>& told) {
  voter_.record = std::move(record);
  told.emplace_back().kind = Told::Kind::record;
}

// Whatever else a member says in place of its vote is a vote against it: the same at all who read it, and nobody waits for a better one.
bool ProcessLevel::is_vote(const Delivery& delivery) {
  Vote vote;
  if (delivery.service != Service::agreed || !records::decode(delivery.bytes, vote)) refuse(Refusal::malformed);
  else if (vote.ring != attempt_.ring || vote.epoch != attempt_.epoch) refuse(Refusal::contradicts);
  else return true;
  return false;
}

void ProcessLevel::on_vote(const Delivery& delivery, std::vector<Told>& told) {
  if (state_.folding || state_.exchanged) return;  // of a ring whose vote was broken off
  if (!is_voting(state_)) return refuse(Refusal::out_of_turn);
  ++revision_;
  state_.votes[delivery.sender.id] = is_vote(delivery);
  protocol_->heard_opening(delivery.sender.id);
  if (state_.votes.size() < state_.hosts.size()) return;
  const bool formed = std::all_of(state_.votes.begin(), state_.votes.end(), [](const auto& vote) { return vote.second; });
  if (!formed) verdict_ = Verdict::voted_down;
  else if (!planted(Mutant::formed_not_stored)) write_down(with_formed(voter_.record, attempt_), told);
  finish_exchange(formed ? attempt_.epoch : 0, told);
}

// All who have processes have the same configuration in force, and nobody is missing from it or new.
std::optional<ConfigurationId> ProcessLevel::unchanged_everywhere() const {
  std::optional<ConfigurationId> id;
  size_t listed = 0, members = 0;
  for (const auto& [host, opening] : state_.openings) {
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

// `epoch`: of this ring; 0: it is not primary. Then no configuration that goes on is primary either: each ended when its hosts parted.
void ProcessLevel::finish_exchange(uint64_t epoch, std::vector<Told>& told) {
  state_.exchanged = owes_completion_ = true;
  const std::optional<ConfigurationId> unchanged = unchanged_everywhere();
  if (!state_.told_table) state_.told_table = std::move(state_.table);
  const Table before = std::move(*std::exchange(state_.told_table, std::nullopt));
  state_.table.clear();
  Processes members, staying;
  for (auto& [host, opening] : state_.openings) {
    const bool with_us = state_.config.id.number != 0 && opening.configuration == state_.config.id;
    for (Member& member : opening.processes) {
      if (with_us && member.in_configuration) staying.push_back(member.process);
      members.push_back(member.process);
      state_.table[member.process.node] = std::move(member);
    }
  }
  state_.openings.clear();
  state_.votes.clear();
  state_.config.epoch = epoch;
  if (unchanged && epoch == 0) {
    state_.config = {*unchanged, std::move(members)};
    state_.change = kTogether;
  } else {
    change_configuration(std::move(staying), std::move(members), kTogether, told);
  }
  tell_changed_groups(before, told);
}

void ProcessLevel::tell_group(const Group& group, const Table& table, std::vector<Told>& told) const {
  Told event;
  event.kind = Told::Kind::group;
  event.group = group;
  for (const auto& [node, member] : table)
    if (std::binary_search(member.groups.begin(), member.groups.end(), group)) event.joined.push_back(member.process);
  told.push_back(std::move(event));
}

// Within the hosts' transition: who goes on delivers the same there, and most of these applications are told of no transition. A process that has joined the bus
// since hosts parted is not told of yet; its groups come with it.
void ProcessLevel::tell_in_transition(const ChangeRecord& record, const Group& group, std::vector<Told>& told) {
  if (!state_.told_table) return;
  const auto known = state_.told_table->find(record.process.node);
  if (known == state_.told_table->end() || known->second.process != record.process) return;
  known->second.groups = state_.table.at(record.process.node).groups;
  tell_group(group, *state_.told_table, told);
}

// What came with the openings, other hosts' processes in groups; and what a transition brought. Who has gone is told by the configuration.
void ProcessLevel::tell_changed_groups(const Table& before, std::vector<Told>& told) {
  std::vector<Group> changed;
  for (const auto& [node, member] : state_.table) {
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
  for (const Group& group : changed) tell_group(group, state_.table, told);
}

}  // namespace evs::ordering
