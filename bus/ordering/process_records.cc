// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_records.cc - what messages carry, byte by byte: docs/wire-format.md.
#include <utility>

#include "bus/ordering/form.h"
#include "bus/ordering/primary_bytes.h"
#include "bus/ordering/process_bytes.h"

namespace evs::ordering::records {
namespace {

constexpr size_t kChangeBytes = 24, kVoteBytes = 32;
constexpr uint32_t kInConfiguration = 1;

bool has_groups(Change what) { return what == Change::join_group || what == Change::leave_group; }

void put(ByteWriter& to, const Group& group) {
  for (const std::byte b : group) to.put(static_cast<uint8_t>(b));
}

Group take_group(ByteReader& in) {
  Group group;
  for (std::byte& b : group) b = static_cast<std::byte>(in.take<uint8_t>());
  return group;
}

bool has_slot(NodeId node) { return (node & ((NodeId{1} << kSlotBits) - 1)) != 0; }
bool lives_on(NodeId node, HostId host) { return host_of(node) == host && has_slot(node); }

// Rising, none twice.
bool take_groups(ByteReader& in, uint32_t count, uint32_t most, std::vector<Group>& groups) {
  if (count > most || count > in.rest().size() / kGroupBytes) return false;
  groups.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const Group group = take_group(in);
    if (!groups.empty() && group <= groups.back()) return false;
    groups.push_back(group);
  }
  return true;
}

// A regular configuration has an even number, its lowest member's name, and as many members as are listed of it at least. None is zero.
bool names_its_configuration(const Opening& opening) {
  const auto& [number, representative] = opening.configuration;
  if ((number == 0) != (representative == 0) || (number == 0) != (opening.configuration_members == 0) || number % 2 != 0) return false;
  uint32_t listed = 0;
  for (const Member& member : opening.processes) {
    if (!member.in_configuration) continue;
    if (member.process.node < representative) return false;
    ++listed;
  }
  return listed <= opening.configuration_members;
}

bool take_change(ByteReader& in, HostId from, ChangeRecord& record) {
  if (in.take<uint8_t>() != static_cast<uint8_t>(RecordKind::change)) return false;
  record.what = static_cast<Change>(in.take<uint8_t>());
  const auto groups = in.take<uint16_t>();
  record.process.node = in.take<uint32_t>();
  record.process.pid = in.take<uint32_t>();
  in.take_zero<uint32_t>();
  record.process.incarnation = in.take<uint64_t>();
  if (record.what < Change::join || record.what > Change::leave_group || !lives_on(record.process.node, from)) return false;
  if (!has_groups(record.what)) return groups == 0 && in.ok() && in.rest().empty();
  if (groups == 0 || !take_groups(in, groups, kMaxGroupsOfChange, record.groups)) return false;
  record.carried = in.rest();
  return in.ok() && record.carried.size() <= kMaxCarriedBytes;
}

bool take_opening(ByteReader& in, HostId from, Opening& opening) {
  if (in.take<uint32_t>() != static_cast<uint32_t>(RecordKind::opening)) return false;
  const auto count = in.take<uint32_t>();
  opening.configuration.number = in.take<uint64_t>();
  opening.configuration.representative = in.take<uint32_t>();
  opening.configuration_members = in.take<uint32_t>();
  const auto quorum = in.take<uint32_t>();
  const auto voter_bytes = in.take<uint32_t>();
  if (!in.ok() || !take_quorum(quorum, opening.voter.quorum) || voter_bytes > kMaxVoterBytes || voter_bytes > in.rest().size()) return false;
  if (kOpeningBytes + in.rest().size() - voter_bytes > kMaxOpeningBytes || count > (in.rest().size() - voter_bytes) / kMemberBytes) return false;
  opening.processes.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    Member member;
    if (!take_member(in, member) || !lives_on(member.process.node, from)) return false;
    if (!opening.processes.empty() && member.process.node <= opening.processes.back().process.node) return false;
    opening.processes.push_back(std::move(member));
  }
  if (!in.ok() || in.rest().size() != voter_bytes || !names_its_configuration(opening)) return false;
  if (opening.voter.quorum.rule == Quorum::Rule::off) return voter_bytes == 0;
  return take_voter(in, from, opening.voter) && in.rest().empty();
}

}  // namespace

bool is_nodeid(NodeId node) { return wire::is_host(host_of(node)) && has_slot(node); }

void put(ByteWriter& to, const Member& member) {
  to.put(member.process.node);
  to.put(member.process.pid);
  to.put(member.process.incarnation);
  to.put(static_cast<uint32_t>(member.groups.size()));
  to.put(member.in_configuration ? kInConfiguration : uint32_t{0});
  for (const Group& group : member.groups) put(to, group);
}

bool take_member(ByteReader& in, Member& member) {
  member.process.node = in.take<uint32_t>();
  member.process.pid = in.take<uint32_t>();
  member.process.incarnation = in.take<uint64_t>();
  const auto groups = in.take<uint32_t>();
  const auto flags = in.take<uint32_t>();
  member.in_configuration = flags == kInConfiguration;
  return in.ok() && (flags & ~kInConfiguration) == 0 && is_nodeid(member.process.node) && take_groups(in, groups, kMaxGroupsOfProcess, member.groups);
}

size_t opening_bytes(size_t processes, size_t groups) { return kOpeningBytes + processes * kMemberBytes + groups * kGroupBytes; }

size_t opening_bytes(const Opening& opening) {
  size_t groups = 0;
  for (const Member& member : opening.processes) groups += member.groups.size();
  return opening_bytes(opening.processes.size(), groups) + voter_bytes(opening.voter);
}

void encode_message(NodeId sender, Bytes payload, std::vector<std::byte>& out) {
  {
    ByteWriter to(out, kMessageHeaderBytes);
    to.put(static_cast<uint32_t>(RecordKind::message));
    to.put(sender);
  }
  out.insert(out.end(), payload.begin(), payload.end());
}

void encode(const ChangeRecord& record, std::vector<std::byte>& out) {
  {
    ByteWriter to(out, kChangeBytes + record.groups.size() * kGroupBytes);
    to.put(static_cast<uint8_t>(RecordKind::change));
    to.put(static_cast<uint8_t>(record.what));
    to.put(static_cast<uint16_t>(record.groups.size()));
    to.put(record.process.node);
    to.put(record.process.pid);
    to.put_zero<uint32_t>();
    to.put(record.process.incarnation);
    for (const Group& group : record.groups) put(to, group);
  }
  out.insert(out.end(), record.carried.begin(), record.carried.end());
}

void encode(const Opening& opening, std::vector<std::byte>& out) {
  ByteWriter to(out, opening_bytes(opening));
  to.put(static_cast<uint32_t>(RecordKind::opening));
  to.put(static_cast<uint32_t>(opening.processes.size()));
  to.put(opening.configuration.number);
  to.put(opening.configuration.representative);
  to.put(opening.configuration_members);
  to.put(word_of(opening.voter.quorum));
  to.put(static_cast<uint32_t>(voter_bytes(opening.voter)));
  for (const Member& member : opening.processes) put(to, member);
  put(to, opening.voter);
}

void encode(const Vote& vote, std::vector<std::byte>& out) {
  ByteWriter to(out, kVoteBytes);
  to.put(static_cast<uint32_t>(RecordKind::vote));
  to.put(vote.ring.representative);
  to.put(vote.ring.sequence);
  to.put(vote.ring.nonce);
  to.put(vote.epoch);
}

bool kind_of(Bytes message, RecordKind& kind) {
  if (message.empty()) return false;
  kind = static_cast<RecordKind>(message.front());
  return kind >= RecordKind::message && kind <= RecordKind::vote;
}

bool decode_message(Bytes message, HostId from, NodeId& sender, Bytes& payload) {
  ByteReader in(message);
  const bool is_message = in.take<uint32_t>() == static_cast<uint32_t>(RecordKind::message);
  sender = in.take<uint32_t>();
  payload = in.rest();
  if (is_message && in.ok() && lives_on(sender, from)) return true;
  sender = 0;
  payload = {};
  return false;
}

bool decode(Bytes message, HostId from, ChangeRecord& record) {
  ByteReader in(message);
  record = {};
  if (take_change(in, from, record)) return true;
  record = {};
  return false;
}

bool decode(Bytes message, HostId from, Opening& opening) {
  ByteReader in(message);
  opening = {};
  if (message.size() <= kMaxOpeningBytes + kMaxVoterBytes && take_opening(in, from, opening)) return true;
  opening = {};
  return false;
}

bool decode(Bytes message, Vote& vote) {
  ByteReader in(message);
  const bool is_vote = in.take<uint32_t>() == static_cast<uint32_t>(RecordKind::vote);
  vote.ring.representative = in.take<uint32_t>();
  vote.ring.sequence = in.take<uint64_t>();
  vote.ring.nonce = in.take<uint64_t>();
  vote.epoch = in.take<uint64_t>();
  if (is_vote && in.ok() && in.rest().empty() && wire::is_ring(vote.ring) && vote.epoch != 0) return true;
  vote = {};
  return false;
}

}  // namespace evs::ordering::records
