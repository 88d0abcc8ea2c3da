// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/primary_bytes.cc - see primary_bytes.h.
#include "bus/ordering/primary_bytes.h"

#include <utility>

#include "bus/ordering/form.h"
#include "bus/ordering/host_set.h"

namespace evs::ordering {
namespace records {
namespace {

constexpr uint32_t kAuto = UINT32_MAX;

size_t attempt_bytes(const Attempt& attempt) { return kAttemptBytes + attempt.hosts.size() * kVoterHostBytes; }

void put(ByteWriter& to, const Attempt& attempt) {
  to.put(attempt.epoch);
  to.put(attempt.ring.sequence);
  to.put(attempt.ring.nonce);
  to.put(attempt.ring.representative);
  to.put(static_cast<uint32_t>(attempt.hosts.size()));
  for (const Host& host : attempt.hosts) {
    to.put(host.id);
    to.put_zero<uint32_t>();
    to.put(host.nonce);
  }
}

bool take(ByteReader& in, Attempt& attempt) {
  attempt.epoch = in.take<uint64_t>();
  attempt.ring.sequence = in.take<uint64_t>();
  attempt.ring.nonce = in.take<uint64_t>();
  attempt.ring.representative = in.take<uint32_t>();
  const auto hosts = in.take<uint32_t>();
  if (!in.ok() || hosts > kMaxHosts || hosts > in.rest().size() / kVoterHostBytes) return false;
  for (uint32_t i = 0; i < hosts; ++i) {
    Host host;
    host.id = in.take<HostId>();
    in.take_zero<uint32_t>();
    host.nonce = in.take<uint64_t>();
    if (!attempt.hosts.empty() && host.id <= attempt.hosts.back().id) return false;  // no ring has two of one id
    attempt.hosts.push_back(host);
  }
  return in.ok() && wire::check(attempt.hosts, kMaxHosts) == wire::Malformed::none;
}

// No ring has sequence 0: that is the one which begins a chain.
bool is_formed(const Attempt& formed) {
  if (formed.epoch == 0) return formed == Attempt{};
  if (formed.hosts.empty() || formed.ring.representative == kNoHost || formed.ring.representative > kMaxHostId) return false;
  return formed.ring.sequence == 0 ? formed.epoch == 1 && formed.hosts.size() == 1 : formed.ring.sequence <= kMaxSequence;
}

// A host votes for rings that it is in.
bool is_vote_of(const Attempt& attempt, const Host& host) { return wire::is_ring(attempt.ring) && contains(attempt.hosts, host); }

}  // namespace

size_t voter_bytes(const Voter& voter) {
  if (voter.quorum.rule == Quorum::Rule::off) return 0;
  size_t bytes = kVoterBytes + attempt_bytes(voter.record.formed);
  for (const Attempt& attempt : voter.record.attempts) bytes += attempt_bytes(attempt);
  return bytes;
}

uint32_t word_of(const Quorum& quorum) {
  return quorum.rule == Quorum::Rule::off ? 0 : quorum.rule == Quorum::Rule::last_primary ? kAuto : quorum.hosts;
}

bool take_quorum(uint32_t word, Quorum& quorum) {
  if (word == 0) quorum = {};
  else if (word == kAuto) quorum = {Quorum::Rule::last_primary, 0};
  else quorum = {Quorum::Rule::fixed, word};
  return quorum.hosts <= kMaxHosts;
}

void put(ByteWriter& to, const Voter& voter) {
  if (voter.quorum.rule == Quorum::Rule::off) return;
  to.put(voter.disk);
  to.put(static_cast<uint32_t>(voter.record.attempts.size()));
  to.put_zero<uint32_t>();
  put(to, voter.record.formed);
  for (const Attempt& attempt : voter.record.attempts) put(to, attempt);
}

bool take_voter(ByteReader& in, HostId from, Voter& voter) {
  voter.disk = in.take<uint64_t>();
  const auto attempts = in.take<uint32_t>();
  in.take_zero<uint32_t>();
  if (!in.ok() || attempts > kMaxAttempts || !take(in, voter.record.formed) || !is_formed(voter.record.formed)) return false;
  uint64_t before = voter.record.formed.epoch;
  for (uint32_t i = 0; i < attempts; ++i) {
    Attempt attempt;
    if (!take(in, attempt) || attempt.epoch <= before || !is_vote_of(attempt, {from, voter.disk})) return false;
    before = attempt.epoch;
    voter.record.attempts.push_back(std::move(attempt));
  }
  return in.ok();
}

}  // namespace records

namespace stored {

void encode(const Voter& voter, HostId self, std::vector<std::byte>& out) {
  Voter all = voter;
  all.quorum = {Quorum::Rule::last_primary, 0};  // whichever the rule, the record is written
  ByteWriter to(out, 2 * sizeof(uint32_t) + records::voter_bytes(all));
  to.put(kVoterFormat);
  to.put(self);
  records::put(to, all);
}

bool decode(Bytes saved, HostId self, Voter& voter) {
  ByteReader in(saved);
  Voter taken;
  if (in.take<uint32_t>() != kVoterFormat || in.take<HostId>() != self || !records::take_voter(in, self, taken) || !in.rest().empty()) return false;
  voter.disk = taken.disk;
  voter.record = std::move(taken.record);
  return true;
}

}  // namespace stored

std::string check(const Voter& voter, uint32_t opening_limit) {
  if (voter.quorum.rule == Quorum::Rule::off) return {};
  if (voter.quorum.rule == Quorum::Rule::fixed && (voter.quorum.hosts == 0 || voter.quorum.hosts > kMaxHosts))
    return "quorum is " + std::to_string(voter.quorum.hosts) + ": a ring has 1 to " + std::to_string(kMaxHosts) + " hosts";
  if (voter.disk == 0) return "a host that votes is named by its disk, and that has no number: draw one when the record is first stored";
  const size_t least = records::kMaxVoterBytes + 4096;  // and room for processes
  if (opening_limit >= least) return {};
  return "message_limit is " + std::to_string(opening_limit) + ": with quorum a host says in one message what it has voted for, up to " +
         std::to_string(records::kMaxVoterBytes) + " bytes, and who lives on it; make it at least " + std::to_string(least) + ", or turn quorum off";
}

}  // namespace evs::ordering
