// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_gather.cc - who forms a ring with whom.
//
// Both sets only grow within one chain of gatherings, and each missed consensus gives somebody up: it ends at the latest with a ring of one.
// Reports of failures are believed from members of our own ring (others may have never been connected to whom they name), and from
// anybody when the time is up: then the lowest one's word, so that a link that works one way costs one host and not all.
#include "bus/ordering/protocol.h"
#include "bus/ordering/mutant.h"

namespace evs::ordering {
namespace {

constexpr uint32_t kMostBackOff = 6;  // doublings
constexpr size_t kMostOver = 256;      // lives that are over, kept

bool supersedes(const Join& join, const Host& sender, const Hosts& members) {
  return std::any_of(join.superseded.begin(), join.superseded.end(),
                     [&](uint64_t nonce) { return nonce != sender.nonce && contains(members, Host{sender.id, nonce}); });
}

}  // namespace

void Protocol::send_join(Output& out) {
  Join join;
  join.ring_sequence = std::max(sequence_known_, sequence_promised_);
  join.candidates = candidates_;
  join.failed = failed_;
  join.superseded = superseded_;
  send(kNoHost, join, out);
}

void Protocol::enter_gather(Instant now, Why why, Output& out) {
  if (std::holds_alternative<Closed>(phase_) || std::holds_alternative<Apart>(phase_)) return;
  if (ran_out_) return;
  ++reasons_[static_cast<size_t>(why)];
  if (ending_) {
    rare_.saw(Rare::ring_broke_while_held);
    return go_apart(now, out);
  }
  if (auto* recovering = std::get_if<Recovering>(&phase_)) {
    spare_store_ = std::move(recovering->store);
    spare_ring_ = RingId{};
    constexpr Rare kBroken[] = {Rare::recovery_broken_once, Rare::recovery_broken_twice, Rare::recovery_broken_thrice};
    rare_.saw(kBroken[std::min<size_t>(recoveries_broken_++, std::size(kBroken) - 1)]);
  }
  add(candidates_, settings_.self);
  Gather gather;
  gather.consented = Hosts{settings_.self};
  phase_ = std::move(gather);
  kept_commit_.clear();
  deadlines_.disarm_all();
  deadlines_.arm(Timer::join_resend, now + settings_.join_resend);
  deadlines_.arm(Timer::consensus, now + settings_.consensus);
  send_join(out);
  check_consensus(now, out);
}

bool Protocol::quarantined(Instant now, const Host& host) const {
  const auto found = quarantine_.find(host);
  return found != quarantine_.end() && now < found->second.until;
}

// Whom we could not form a ring with is let alone for a while, each time for longer: a flapping or half-connected host must not keep the others
// from working.
void Protocol::quarantine_failed(Instant now) {
  for (const Host& host : members_) quarantine_.erase(host);
  for (const Host& host : failed_) {
    Quarantine& q = quarantine_[host];
    q.until = now + (settings_.consensus << std::min(q.times, kMostBackOff));
    if (q.times++ != 0) rare_.saw(Rare::quarantine_doubled);
  }
  while (quarantine_.size() > kMaxHosts) quarantine_.erase(quarantine_.begin());
}

// A process that goes on from another one of its host names it: that one is dead, and nobody need wait for it.
bool Protocol::give_up_superseded(const Host& sender, const Join& join) {
  bool gave_up = false;
  for (const uint64_t nonce : join.superseded) {
    const Host before{sender.id, nonce};
    if (before == sender) continue;
    note_over(before, std::min(join.ring_sequence, most_believed()));
    if (contains(candidates_, before)) gave_up |= add(failed_, before);
  }
  return gave_up;
}

// Others may have those in their ring whom we go on from.
bool Protocol::give_up_predecessors() {
  bool gave_up = false;
  for (const uint64_t nonce : superseded_)
    if (const Host before{settings_.self.id, nonce}; contains(candidates_, before)) gave_up |= add(failed_, before);
  return gave_up;
}

// A life of a host is over, and its last packets may be on their way still. It stored each ring's sequence before it named it, so none of them has a later
// one. If it does live, as a second machine with the id of the one that took its place, it cannot stay in the ring that goes on without it, and the
// sequence of the next one tells.
void Protocol::note_over(const Host& host, uint64_t through) {
  for (Over& known : over_) {
    if (known.host != host) continue;
    known.through = std::max(known.through, through);
    return;
  }
  if (over_.size() >= kMostOver) over_.erase(over_.begin());
  over_.push_back({host, through});
}

bool Protocol::is_over(const Host& host, uint64_t sequence) const {
  return std::any_of(over_.begin(), over_.end(), [&](const Over& known) { return known.host == host && sequence <= known.through; });
}

// Of a life of this host before ours. A second machine that has seen fewer rings than we is told from it by going on to speak.
bool Protocol::is_own_past(Instant now, const Host& sender, uint64_t sequence) const {
  if (sequence > past_sequence_) return false;
  return std::binary_search(superseded_.begin(), superseded_.end(), sender.nonce) || now < past_until_;
}

void Protocol::report_duplicate(const Host& sender, Output& out) {
  out.add(Effect::Kind::duplicate_host).to = sender.id;
  ignore(Drop::duplicate_host);
}

// The same id, another nonce. Either its former life is over and we have not noticed yet, or two machines go by one id.
bool Protocol::is_duplicate(Instant now, const Host& sender, Output& out) {
  const auto report = [&] {
    report_duplicate(sender, out);
    return true;
  };
  const Host* other = nullptr;
  for (const Host& host : candidates_)
    if (host.id == sender.id && host != sender && !contains(failed_, host)) other = &host;
  if (other == nullptr) return false;
  const auto* gather = std::get_if<Gather>(&phase_);
  if (gather == nullptr) return report();  // a member until its ring is broken
  for (const auto& [host, unused] : gather->heard)
    if (host == *other) return report();
  rare_.saw(Rare::former_life_over);
  if (contains(members_, *other)) note_over(*other, ring_.sequence);
  add(failed_, Host(*other));
  add(candidates_, sender);
  enter_gather(now, Why::join_heard, out);
  return false;
}

// Data, or a probe, of a ring that is not ours.
void Protocol::on_foreign(Instant now, const Host& sender, const RingId& ring, Output& out) {
  auto* gather = std::get_if<Gather>(&phase_);
  if (gather == nullptr && !is_operational()) return ignore(Drop::wrong_phase);
  if (ring == ring_) return;
  if (contains(members_, sender) && ring.sequence < ring_.sequence) return ignore(Drop::other_ring);  // of before
  if (is_over(sender, ring.sequence)) return ignore(Drop::superseded);
  if (quarantined(now, sender)) return ignore(Drop::quarantined);
  if (gather != nullptr && (contains(candidates_, sender) || contains(failed_, sender))) return;
  if (candidates_.size() >= kMaxHosts) return ignore(Drop::outside_window);
  if (is_duplicate(now, sender, out)) return;
  add(candidates_, sender);
  enter_gather(now, Why::foreign_ring, out);
}

void Protocol::on_join(Instant now, const Host& sender, const Join& join, Output& out) {
  if (is_over(sender, join.ring_sequence)) return ignore(Drop::superseded);
  sequence_known_ = std::max(sequence_known_, std::min(join.ring_sequence, most_believed()));
  const bool names_us_failed = contains(join.failed, settings_.self) && !planted(Mutant::failed_us_is_heard);
  if (const auto* committing = std::get_if<Committing>(&phase_)) {
    if (!supersedes(join, sender, committing->members) &&
        (!contains(committing->members, sender) || join.ring_sequence < committing->ring.sequence))
      return ignore(Drop::stale_join);
  } else if (const auto* recovering = std::get_if<Recovering>(&phase_)) {
    if (!supersedes(join, sender, recovering->members) &&
        (!contains(recovering->members, sender) || join.ring_sequence < recovering->ring.sequence))
      return ignore(Drop::stale_join);
  } else if (is_operational()) {
    if (names_us_failed) return ignore(Drop::join_names_us_failed);
    if (contains(members_, sender) && join.ring_sequence < ring_.sequence) return ignore(Drop::stale_join);
  }
  // Who asks for us by name has waited out a quarantine of its own: two that let each other alone in turns would never meet. Who names us failed
  // does not ask: what two had said when they gave each other up would make them do it again, as fast as their packets go. But if we wait for
  // it, we need not wait any longer.
  if (quarantined(now, sender)) {
    const bool waited_for = std::holds_alternative<Gather>(phase_) && contains(candidates_, sender) && !contains(failed_, sender);
    if (names_us_failed ? !waited_for : !contains(join.candidates, settings_.self)) return ignore(Drop::quarantined);
    rare_.saw(Rare::asked_by_name);
  }
  if (give_up_superseded(sender, join)) {
    if (candidates_.size() < kMaxHosts) add(candidates_, sender);
    enter_gather(now, Why::join_heard, out);
    if (!std::holds_alternative<Gather>(phase_)) return;  // alone, or apart: what else it says is for another time
  }
  if (is_duplicate(now, sender, out)) return;
  weigh_join(now, sender, join, out);
}

void Protocol::weigh_join(Instant now, const Host& sender, const Join& join, Output& out) {
  auto* gather = std::get_if<Gather>(&phase_);
  if (join.leaving) {
    if (!contains(candidates_, sender) || !add(failed_, sender)) return;
    rare_.saw(Rare::leaver_heard);
    return enter_gather(now, Why::join_heard, out);
  }
  if (gather != nullptr) {
    auto& heard = gather->heard;
    const auto known = std::find_if(heard.begin(), heard.end(), [&](const auto& h) { return h.first == sender; });
    if (known != heard.end()) known->second = join.failed;
    else if (heard.size() < kMaxHosts) heard.emplace_back(sender, join.failed);
    if (join.candidates == candidates_ && join.failed == failed_) {
      add(gather->consented, sender);
      return check_consensus(now, out);
    }
    if (contains(failed_, sender)) return;
    if (subset(join.candidates, candidates_) && subset(join.failed, failed_)) return;  // it will learn from ours
  }
  Hosts more = join.candidates;
  add(more, sender);
  if (without(more, candidates_).size() + candidates_.size() > kMaxHosts) return ignore(Drop::outside_window);
  bool learned = add(candidates_, more);
  learned |= give_up_predecessors();
  if (contains(join.failed, settings_.self)) {
    rare_.saw(Rare::failed_us_in_return);
    learned |= add(failed_, sender);
  } else if (contains(members_, sender)) {
    // Of those it knows of: who names strangers would make our own joins too long to be said.
    learned |= add(failed_, without(join.failed, without(join.failed, candidates_)));
  }
  if (gather == nullptr || learned) enter_gather(now, Why::join_heard, out);
  // A successor is taught by the first join that names its predecessor failed, and says just that from then on: its sender agrees already, and would say so again only
  // when its patience ends. (Of others it is not believed so soon: a link that works one way teaches, too.)
  const auto is_predecessor = [this](const Host& host) { return host.id == settings_.self.id && host != settings_.self; };
  gather = std::get_if<Gather>(&phase_);
  if (gather == nullptr || std::none_of(failed_.begin(), failed_.end(), is_predecessor)) return;
  if (join.candidates != candidates_ || join.failed != failed_ || contains(failed_, sender)) return;
  const auto known = std::find_if(gather->heard.begin(), gather->heard.end(), [&](const auto& h) { return h.first == sender; });
  if (known == gather->heard.end() && gather->heard.size() < kMaxHosts) gather->heard.emplace_back(sender, join.failed);
  add(gather->consented, sender);
  check_consensus(now, out);
}

void Protocol::check_consensus(Instant now, Output& out) {
  auto& gather = std::get<Gather>(phase_);
  const Hosts active = without(candidates_, failed_);
  if (!subset(active, gather.consented)) return;
  if (active.front() == settings_.self) return create_commit(now, out);
}

void Protocol::on_consensus_missed(Instant now, Output& out) {
  auto& gather = std::get<Gather>(phase_);
  const Hosts active = without(candidates_, failed_);
  if (subset(active, gather.consented)) {
    if (active.front() == settings_.self) return create_commit(now, out);
    // All agree, and the representative's commit did not come. Once more; then it is given up.
    if (gather.second_chance) {
      rare_.saw(Rare::representative_given_up);
      add(failed_, active.front());
      return enter_gather(now, Why::commit_lost, out);
    }
    rare_.saw(Rare::second_chance);
    gather.second_chance = true;
    deadlines_.arm(Timer::consensus, now + settings_.consensus);
    return send_join(out);
  }
  std::sort(gather.heard.begin(), gather.heard.end());
  for (const auto& claim : gather.heard) {
    const Host& host = claim.first;
    const Hosts& its_failed = claim.second;
    if (contains(failed_, host) || contains(its_failed, settings_.self)) continue;
    Hosts more = without(its_failed, failed_);
    more.erase(std::remove_if(more.begin(), more.end(), [&](const Host& h) { return !contains(candidates_, h) || h == host; }), more.end());
    if (more.empty()) continue;
    rare_.saw(Rare::lowest_ones_word);
    add(failed_, more);
    return enter_gather(now, Why::consensus_missed, out);
  }
  rare_.saw(Rare::silent_given_up);
  add(failed_, without(active, gather.consented));
  enter_gather(now, Why::consensus_missed, out);
}

}  // namespace evs::ordering
