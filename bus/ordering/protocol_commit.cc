// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_commit.cc - the commit token's two laps.
//
// First lap: each member writes down what it brings. From there on it neither takes nor delivers frames of its old ring but those that recovery
// shows it (the freeze rule): what it has reported is what the others count on. Second lap: everybody learns what all bring.
#include "bus/ordering/protocol.h"
#include "bus/ordering/mutant.h"

namespace evs::ordering {

void Protocol::create_commit(Instant now, Output& out) {
  const uint64_t sequence = std::max(sequence_known_, sequence_promised_) + kSequenceStep;
  if (sequence > kMaxSequence) return run_out(now, out);
  Commit commit;
  commit.members = without(candidates_, failed_);
  commit.ring = RingId{sequence, settings_.self.id, settings_.self.nonce};
  commit.entries.resize(commit.members.size());
  join_commit(now, std::move(commit), 0, out);
}

void Protocol::join_commit(Instant now, Commit commit, uint32_t me, Output& out) {
  sequence_promised_ = commit.ring.sequence;
  sequence_known_ = std::max(sequence_known_, sequence_promised_);
  CommitEntry& mine = commit.entries[me];
  mine.old_ring = ring_;
  mine.received_up_to = store_->received_up_to();
  mine.high = store_->high();
  mine.delivered = deliverer_->delivered_up_to();
  mine.obligations = obligations_;
  mine.filled = true;
  commit.index = me + 1;
  store_sequence(out);  // before anybody hears that we said yes
  store_window(0, out); // and what we hold
  phase_ = Committing{commit.ring, commit.members};
  deadlines_.disarm_all();
  deadlines_.arm(Timer::token_lost, now + settings_.token_lost);
  if (commit.members.size() > 1) return send_commit(now, commit, out);
  enter_recovery(now, commit, me);
  begin_tokens(now, std::get<Recovering>(phase_), out);
}

void Protocol::send_commit(Instant now, const Commit& commit, Output& out) {
  kept_commit_.clear();
  wire::encode(settings_.self, commit, kept_commit_);
  kept_commit_to_ = commit.members[commit.index % commit.members.size()].id;
  send(kept_commit_to_, commit, out);
  deadlines_.arm(Timer::token_resend, now + settings_.token_resend);
}

void Protocol::on_commit(Instant now, const Commit& commit, Output& out) {
  const auto n = static_cast<uint32_t>(commit.members.size());
  const auto at = std::lower_bound(commit.members.begin(), commit.members.end(), settings_.self);
  if (at == commit.members.end() || *at != settings_.self) return ignore(Drop::not_for_us);
  const auto me = static_cast<uint32_t>(at - commit.members.begin());
  if (std::holds_alternative<Gather>(phase_) && commit.index == me) {
    if (me == 0 || commit.members != without(candidates_, failed_) || commit.ring.sequence <= sequence_promised_ ||
        commit.ring.sequence > most_believed())
      return ignore(Drop::stale_commit);
    return join_commit(now, commit, me, out);
  }
  if (const auto* committing = std::get_if<Committing>(&phase_)) {
    if (commit.ring != committing->ring || commit.index != n + me) return ignore(Drop::stale_commit);
    enter_recovery(now, commit, me);
    Commit passed = commit;
    ++passed.index;
    return send_commit(now, passed, out);
  }
  if (auto* recovering = std::get_if<Recovering>(&phase_)) {
    // Once, and not for each repetition: a second first token would upset what the first one began.
    if (commit.ring != recovering->ring || commit.index != 2 * n || me != 0 || recovering->began) return ignore(Drop::stale_commit);
    return begin_tokens(now, *recovering, out);
  }
  ignore(Drop::wrong_phase);
}

void Protocol::enter_recovery(Instant now, const Commit& commit, uint32_t me) {
  Recovering recovering;
  recovering.ring = commit.ring;
  recovering.members = commit.members;
  recovering.entries = commit.entries;
  Seq low = store_->high(), forgotten = store_->forgotten_through();
  for (uint32_t i = 0; i < commit.members.size(); ++i) {
    // By the ring that it comes from, not by its name: who left, was alone and came back in between is no companion.
    if (commit.entries[i].old_ring != ring_ && !planted(Mutant::companions_by_name)) {
      if (contains(members_, commit.members[i])) rare_.saw(Rare::companion_came_around);
      continue;
    }
    if (!contains(members_, commit.members[i])) continue;
    recovering.going_on.push_back(commit.members[i]);
    if (!planted(Mutant::direct_obligations)) add(recovering.obligations, commit.entries[i].obligations);
    low = std::min(low, commit.entries[i].received_up_to);
  }
  low = std::max(low, forgotten);  // all of them have that, whatever one says
  add(recovering.obligations, recovering.going_on);
  // What somebody lacks is said by the first who has all up to there, or by everybody who holds it, until one has said it.
  for (Seq s = store_->high(); s > low; s = Seq{s.value - 1}) {
    if (store_->find(s) == nullptr) continue;
    bool others = false;
    for (uint32_t i = 0; i < me && !others; ++i)
      others = commit.entries[i].old_ring == ring_ && contains(members_, commit.members[i]) && commit.entries[i].received_up_to >= s;
    if (!others && recovering.going_on.size() > 1) recovering.to_say.push_back(s);
  }
  recovering.store = spare_store_ ? std::move(spare_store_) : std::make_unique<FrameStore>(settings_.store_frames);
  recovering.store->clear();
  recovering.rotation = std::make_unique<Rotation>(settings_, recovering.ring, recovering.members, *recovering.store, rare_);
  recovering.barrier = std::make_unique<Barrier>(settings_.self.id);
  phase_ = std::move(recovering);
  deadlines_.arm(Timer::token_lost, now + settings_.token_lost);
}

}  // namespace evs::ordering
