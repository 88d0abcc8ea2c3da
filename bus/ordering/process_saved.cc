// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/process_saved.cc - the state of processes as bytes that outlive a process: docs/stored-state.md, "Processes".
#include <algorithm>
#include <utility>

#include "bus/ordering/form.h"
#include "bus/ordering/host_set.h"
#include "bus/ordering/mutant.h"
#include "bus/ordering/process_bytes.h"
#include "bus/ordering/process_state.h"

namespace evs::ordering {

size_t opening_bytes(const Table& table, HostId host) {
  size_t processes = 0, groups = 0;
  for (auto at = table.lower_bound(host << kSlotBits); at != table.end() && host_of(at->first) == host; ++at) {
    ++processes;
    groups += at->second.groups.size();
  }
  return records::opening_bytes(processes, groups);
}

bool is_voting(const ProcessState& state) {
  return !state.exchanged && !state.folding && !state.hosts.empty() && state.openings.size() == state.hosts.size();
}

Decision decide(const ProcessState& state) {
  Voters voters;
  for (const auto& [host, opening] : state.openings) voters[host] = opening.voter;
  return decide(state.ring, voters);
}

namespace stored {
namespace {

constexpr size_t kHeaderBytes = 88, kHostBytes = 16, kOpeningHeaderBytes = 8, kVoteBytes = 8, kProcessBytes = 16;
enum Flag : uint32_t { kExchanged = 1, kFolding = 2, kTransition = 4, kToldTable = 8, kFlags = 15 };

struct Counts {
  uint32_t flags = 0, hosts = 0, openings = 0, members = 0, transition = 0, table = 0, told_table = 0, votes = 0;
};

template <class Some>
uint32_t count_of(const Some& some) {
  return static_cast<uint32_t>(some.size());
}

// ---- Out. ------------------------------------------------------------------------------------------------------------------------

void put_header(const ProcessState& state, HostId self, std::vector<std::byte>& out) {
  const bool told_table = state.told_table && !planted(Mutant::told_table_not_saved);
  const bool transition = state.transition && !planted(Mutant::transition_not_saved);
  ByteWriter to(out, kHeaderBytes);
  to.put(kProcessesFormat);
  to.put(self);
  to.put((state.exchanged ? kExchanged : 0u) | (state.folding ? kFolding : 0u) | (transition ? kTransition : 0u) | (told_table ? kToldTable : 0u));
  to.put(count_of(state.hosts));
  to.put(state.ring.sequence);
  to.put(state.ring.nonce);
  to.put(state.ring.representative);
  to.put(count_of(state.openings));
  to.put(state.change);
  to.put(state.config.id.number);
  to.put(state.config.id.representative);
  to.put(count_of(state.config.members));
  to.put(transition ? count_of(*state.transition) : 0u);
  to.put(count_of(state.table));
  to.put(told_table ? count_of(*state.told_table) : 0u);
  to.put(planted(Mutant::votes_not_saved) ? 0u : count_of(state.votes));
  to.put(planted(Mutant::standing_not_saved) ? uint64_t{0} : state.config.epoch);
}

void put(const Hosts& hosts, std::vector<std::byte>& out) {
  ByteWriter to(out, hosts.size() * kHostBytes);
  for (const Host& host : hosts) {
    to.put(host.id);
    to.put_zero<uint32_t>();
    to.put(host.nonce);
  }
}

void put(HostId host, const Opening& opening, std::vector<std::byte>& out) {
  {
    ByteWriter to(out, kOpeningHeaderBytes);
    to.put(host);
    to.put(static_cast<uint32_t>(records::opening_bytes(opening)));
  }
  records::encode(opening, out);
}

void put(const std::map<HostId, bool>& votes, std::vector<std::byte>& out) {
  ByteWriter to(out, votes.size() * kVoteBytes);
  for (const auto& [host, is_for_it] : votes) {
    to.put(host);
    to.put(is_for_it ? 1u : 0u);
  }
}

void put(const Processes& processes, std::vector<std::byte>& out) {
  ByteWriter to(out, processes.size() * kProcessBytes);
  for (const Process& process : processes) {
    to.put(process.node);
    to.put(process.pid);
    to.put(process.incarnation);
  }
}

void put(const Table& table, std::vector<std::byte>& out) {
  size_t bytes = 0;
  for (const auto& [node, member] : table) bytes += records::member_bytes(member);
  ByteWriter to(out, bytes);
  for (const auto& [node, member] : table) records::put(to, member);
}

// ---- In. -------------------------------------------------------------------------------------------------------------------------

bool take_header(ByteReader& in, HostId self, ProcessState& state, Counts& counts) {
  if (in.take<uint32_t>() != kProcessesFormat || in.take<HostId>() != self) return false;
  counts.flags = in.take<uint32_t>();
  counts.hosts = in.take<uint32_t>();
  state.ring.sequence = in.take<uint64_t>();
  state.ring.nonce = in.take<uint64_t>();
  state.ring.representative = in.take<uint32_t>();
  counts.openings = in.take<uint32_t>();
  state.change = in.take<uint64_t>();
  state.config.id.number = in.take<uint64_t>();
  state.config.id.representative = in.take<uint32_t>();
  counts.members = in.take<uint32_t>();
  counts.transition = in.take<uint32_t>();
  counts.table = in.take<uint32_t>();
  counts.told_table = in.take<uint32_t>();
  counts.votes = in.take<uint32_t>();
  state.config.epoch = in.take<uint64_t>();
  state.exchanged = (counts.flags & kExchanged) != 0;
  state.folding = (counts.flags & kFolding) != 0;
  if ((counts.flags & kTransition) != 0) state.transition.emplace();
  else if (counts.transition != 0) return false;
  if ((counts.flags & kToldTable) != 0) state.told_table.emplace();
  else if (counts.told_table != 0) return false;
  return in.ok() && (counts.flags & ~kFlags) == 0;
}

// What is counted is there, before anything is made for it.
bool has(const ByteReader& in, uint32_t count, size_t bytes) { return in.ok() && count <= in.rest().size() / bytes; }

bool take(ByteReader& in, uint32_t count, Hosts& hosts) {
  if (!has(in, count, kHostBytes)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    Host host;
    host.id = in.take<HostId>();
    in.take_zero<uint32_t>();
    host.nonce = in.take<uint64_t>();
    hosts.push_back(host);
  }
  return in.ok() && wire::check(hosts, kMaxHosts) == wire::Malformed::none;
}

bool take(ByteReader& in, uint32_t count, std::map<HostId, Opening>& openings) {
  for (uint32_t i = 0; i < count; ++i) {
    const auto host = in.take<HostId>();
    const auto bytes = in.take<uint32_t>();
    if (!in.ok() || bytes > in.rest().size() || (!openings.empty() && host <= openings.rbegin()->first)) return false;
    if (!records::decode(in.rest().first(bytes), host, openings[host])) return false;
    in = ByteReader(in.rest().subspan(bytes));
  }
  return true;
}

bool take(ByteReader& in, uint32_t count, std::map<HostId, bool>& votes) {
  if (!has(in, count, kVoteBytes)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    const auto host = in.take<HostId>();
    const auto is_for_it = in.take<uint32_t>();
    if (is_for_it > 1 || (!votes.empty() && host <= votes.rbegin()->first)) return false;
    votes[host] = is_for_it == 1;
  }
  return true;
}

bool take(ByteReader& in, uint32_t count, Processes& processes) {
  if (!has(in, count, kProcessBytes)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    Process process;
    process.node = in.take<uint32_t>();
    process.pid = in.take<uint32_t>();
    process.incarnation = in.take<uint64_t>();
    if (!records::is_nodeid(process.node) || (!processes.empty() && process.node <= processes.back().node)) return false;
    processes.push_back(process);
  }
  return true;
}

bool take(ByteReader& in, uint32_t count, Table& table) {
  if (!has(in, count, records::kMemberBytes)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    Member member;
    if (!records::take_member(in, member)) return false;
    const NodeId node = member.process.node;
    if (!table.empty() && node <= table.rbegin()->first) return false;
    table.emplace_hint(table.end(), node, std::move(member));
  }
  return true;
}

// Of the hosts that there are, each with no more than it may put into everybody's table.
bool is_of(const Table& table, const Hosts& hosts) {
  for (auto at = table.begin(); at != table.end(); at = table.lower_bound((host_of(at->first) + 1) << kSlotBits)) {
    const HostId host = host_of(at->first);
    if (with_id(hosts, host) == nullptr || opening_bytes(table, host) > kMaxOpeningBytes) return false;
    if (host == kMaxHostId) break;  // there is no nodeid behind its own
  }
  return true;
}

bool is_named(const ProcessConfiguration& config) {
  const auto& [number, representative] = config.id;
  if (config.members.empty()) return number == 0 && representative == 0;
  return number != 0 && number % 2 == 0 && representative != 0 && representative <= config.members.front().node;
}

// While no change is under way, who is in force is who is there.
bool lists(const Table& table, const Processes& members) {
  const auto same = [](const auto& entry, const Process& process) { return entry.second.process == process; };
  return std::equal(table.begin(), table.end(), members.begin(), members.end(), same);
}

bool is_possible(const ProcessState& s, HostId self) {
  if (s.ring == RingId{})  // nothing was delivered yet
    return s.hosts.empty() && !s.exchanged && !s.folding && s.change == 0 && s.openings.empty() && s.votes.empty() && s.config.members.empty() && s.config.epoch == 0 &&
           is_named(s.config) && !s.transition && s.table.empty() && !s.told_table;
  if (!wire::is_ring(s.ring) || with_id(s.hosts, self) == nullptr || s.change % 2 != 0 || s.change > kLastChange) return false;
  if (!is_named(s.config) || !is_of(s.table, s.hosts) || (s.told_table && !is_of(*s.told_table, s.hosts))) return false;
  if (s.exchanged && !s.folding && !lists(s.table, s.config.members)) return false;
  if (s.told_table && s.exchanged && !s.folding) return false;
  if (s.folding || s.exchanged) {
    if (!s.openings.empty()) return false;
  } else if (s.openings.size() > s.hosts.size() || s.votes.size() >= s.hosts.size()) {
    return false;
  }
  for (const auto& [host, opening] : s.openings)
    if (with_id(s.hosts, host) == nullptr) return false;
  for (const auto& [host, is_for_it] : s.votes)
    if (with_id(s.hosts, host) == nullptr) return false;
  // What waits longer than for the openings waits for votes; and only what was exchanged can be primary.
  if (is_voting(s) ? decide(s).verdict != Verdict::forms : !s.votes.empty()) return false;
  if (s.config.epoch != 0 && !s.exchanged) return false;
  const Processes& members = s.config.members;
  const size_t most = members.size() - (members.empty() || s.config.epoch != 0 ? 0 : 1);  // a primary one ends although nobody is lost
  return !s.transition || (s.folding && !members.empty() && s.transition->size() <= most &&
                           std::includes(members.begin(), members.end(), s.transition->begin(), s.transition->end()));
}

bool take(ByteReader& in, HostId self, ProcessState& state) {
  Counts counts;
  return take_header(in, self, state, counts) && take(in, counts.hosts, state.hosts) && take(in, counts.openings, state.openings) && take(in, counts.votes, state.votes) &&
         take(in, counts.members, state.config.members) && (!state.transition || take(in, counts.transition, *state.transition)) &&
         take(in, counts.table, state.table) && (!state.told_table || take(in, counts.told_table, *state.told_table)) && in.ok() && in.rest().empty();
}

}  // namespace

void encode(const ProcessState& state, HostId self, std::vector<std::byte>& out) {
  put_header(state, self, out);
  put(state.hosts, out);
  for (const auto& [host, opening] : state.openings) put(host, opening, out);
  if (!planted(Mutant::votes_not_saved)) put(state.votes, out);
  put(state.config.members, out);
  if (state.transition && !planted(Mutant::transition_not_saved)) put(*state.transition, out);
  put(state.table, out);
  if (state.told_table && !planted(Mutant::told_table_not_saved)) put(*state.told_table, out);
}

bool decode(Bytes saved, HostId self, ProcessState& state) {
  ByteReader in(saved);
  state = {};
  if (take(in, self, state) && is_possible(state, self)) return true;
  state = {};
  return false;
}

}  // namespace stored
}  // namespace evs::ordering
