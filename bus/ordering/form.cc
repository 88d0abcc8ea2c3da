// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/form.cc - the rules of docs/wire-format.md, a packet a function.
#include "bus/ordering/form.h"

#include <algorithm>
#include <functional>

namespace evs::ordering::wire {
namespace {

// Sorted, apart from each other, and nothing beyond `high`, so that no sum wraps.
Malformed check_wanted(const std::vector<SeqRange>& wanted, Seq high) {
  if (wanted.size() > kMaxWanted) return Malformed::length;
  Seq before;
  for (const SeqRange& range : wanted) {
    if (range.first.value == 0 || range.count == 0) return Malformed::range;
    if (range.first > high || range.count - 1 > high.value - range.first.value) return Malformed::range;
    if (range.first <= before) return Malformed::order;
    before = Seq{range.first.value + (range.count - 1)};
  }
  return Malformed::none;
}

bool is_empty(const CommitEntry& entry) {
  return entry.old_ring == RingId{} && entry.received_up_to == Seq{} && entry.high == Seq{} && entry.delivered == Seq{} &&
         entry.obligations.empty();
}

Malformed check_entry(const CommitEntry& entry) {
  if (!entry.filled) return is_empty(entry) ? Malformed::none : Malformed::range;
  const bool first_ring = entry.old_ring == RingId{};  // it comes from no ring, so it has no frames either
  if (!first_ring && !is_ring(entry.old_ring)) return Malformed::range;
  if (first_ring && entry.high != Seq{}) return Malformed::range;
  if (entry.received_up_to > entry.high || entry.delivered > entry.high) return Malformed::range;
  return check(entry.obligations, kMaxHosts);
}

}  // namespace

Malformed check(const Hosts& hosts, size_t most) {
  if (hosts.size() > most) return Malformed::length;
  const Host* before = nullptr;
  for (const Host& host : hosts) {
    if (!is_host(host.id)) return Malformed::range;
    if (before != nullptr && !(*before < host)) return Malformed::order;
    before = &host;
  }
  return Malformed::none;
}

Malformed check(const Data& data) {
  if (data.payload.size() > kMaxPacketBytes - kDataHeaderBytes) return Malformed::length;
  if (!is_ring(data.ring) || data.seq.value == 0 || data.previous >= data.seq) return Malformed::range;
  if (data.service > Service::safe || data.body > Body::recovered) return Malformed::range;
  if (data.piece_count > (data.body == Body::pieces ? kMaxPieces : 0)) return Malformed::range;
  return Malformed::none;
}

Malformed check(const Token& token) {
  if (!is_ring(token.ring)) return Malformed::range;
  if (token.received_by_all > token.high) return Malformed::range;
  for (const HostId host : {token.lowered_by, token.delayed_by, token.held_by})
    if (host != kNoHost && !is_host(host)) return Malformed::range;
  if (token.stage > Stage::rest || token.change > token.high || token.delivered_by_all > token.high) return Malformed::range;
  const bool ends_at_somebody = token.stage == Stage::joining || token.stage == Stage::rest;
  if (ends_at_somebody ? !is_host(token.stage_by) : token.stage_by != kNoHost) return Malformed::range;
  return check_wanted(token.wanted, token.high);
}

Malformed check(const Join& join) {
  if (join.ring_sequence > kMaxSequence) return Malformed::range;
  const Malformed candidates = check(join.candidates, kMaxHosts);
  if (candidates != Malformed::none) return candidates;
  if (join.superseded.size() > kMaxSuperseded) return Malformed::length;
  const auto falls = std::adjacent_find(join.superseded.begin(), join.superseded.end(), std::greater_equal<>());
  if (falls != join.superseded.end()) return Malformed::order;
  return check(join.failed, kMaxHosts);
}

Malformed check(const Commit& commit) {
  if (!is_ring(commit.ring)) return Malformed::range;
  const Malformed members = check(commit.members, kMaxHosts);
  if (members != Malformed::none) return members;
  // A ring is named after one of its own.
  const Host representative{commit.ring.representative, commit.ring.nonce};
  if (!std::binary_search(commit.members.begin(), commit.members.end(), representative)) return Malformed::range;
  if (commit.entries.size() != commit.members.size()) return Malformed::length;
  if (commit.index > 2 * commit.members.size()) return Malformed::range;
  for (const CommitEntry& entry : commit.entries) {
    const Malformed why = check_entry(entry);
    if (why != Malformed::none) return why;
  }
  return Malformed::none;
}

Malformed check(const Probe& probe) { return is_ring(probe.ring) ? Malformed::none : Malformed::range; }
Malformed check(const HoldCancel& cancel) { return is_ring(cancel.ring) ? Malformed::none : Malformed::range; }

}  // namespace evs::ordering::wire
