// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_path.cc - see ordered_path.h: memberships, states, and what becomes of a configuration. Frames: ordered_frames.cc.
#include "bus/ordering/ordered_path.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bus/ordering/mutant.h"

namespace evs::ordering {

OrderedPath::OrderedPath(const Settings& settings)
    : settings_(settings), assembly_(settings.message_limit), delivery_(assembly_, settings.medium_tells_stability),
      queue_(settings.queue_bytes, true) {}

void OrderedPath::begin_event() {
  delivery_.release_handed_on();
  assembly_.release_finished();
}

void OrderedPath::store(Output& out) { out.store(Stored::Kind::sequence, sequence_); }

void OrderedPath::enter(const RingId& ring, const Hosts& members, Output& out) {
  ring_ = ring;
  members_ = members;
  delivery_.begin(ring_, members_);
  next_frame_ = 1;
  said_ = Seq{};
  out.configure({true, ring_, ring_, members_});
}

void OrderedPath::start(Instant, Output& out) {
  ran_out_ = settings_.ring_sequence >= kMaxSequence;
  sequence_ = ran_out_ ? kMaxSequence : settings_.ring_sequence + 1;
  store(out);
  enter({sequence_, settings_.self.id, settings_.self.nonce}, {settings_.self}, out);
  together_ = {settings_.self.id};
  exchange_.emplace();
}

// From here on nothing of the ring counts any more. All who are together with us have read the same of it, and close it here.
void OrderedPath::close_ring() {
  if (!planted(Mutant::ordered_cut_goes_on)) queue_.restart_partial();
  under_way_.clear();
  acknowledge_at_ = kNever;
}

void OrderedPath::on_membership(Instant now, const MediumMembership& membership, Output& out) {
  begin_event();
  if (!exchange_) close_ring();
  exchange_.emplace();
  std::vector<HostId> still;
  for (const HostId id : together_) {
    const auto in = [id](const std::vector<HostId>& list) { return std::binary_search(list.begin(), list.end(), id); };
    if (id == settings_.self.id || (in(membership.members) && !in(membership.joined) && !in(membership.left))) still.push_back(id);
  }
  together_ = std::move(still);
  if (!std::binary_search(membership.members.begin(), membership.members.end(), settings_.self.id)) {
    together_ = {settings_.self.id};
    state_under_way_ = false;
    return;
  }
  exchange_->members = membership.members;
  // One that is under way will be read in this membership, or in a later one, and says what is true: see ordered_exchange.h.
  if (!state_under_way_ || planted(Mutant::ordered_state_each_time)) send_state(out);
  end_event(now, out);
}

void OrderedPath::send_state(Output& out) {
  if (sequence_ + 2 > kMaxSequence) {
    ran_out_ = true;
    return;
  }
  State state;
  state.ring = ring_;
  state.proposal = sequence_ + 2;  // one below it is for a ring in between
  state.delivered = delivery_.delivered();
  if (!planted(Mutant::ordered_same_proposal)) {
    sequence_ = state.proposal;
    store(out);
  }
  state_under_way_ = true;
  send(state, out);
}

void OrderedPath::on_state(const Host& sender, const State& state, Output& out) {
  if (sender == settings_.self) state_under_way_ = false;
  if (!exchange_) return ignore(Drop::wrong_phase);
  if (!exchange_->add(sender, state)) return ignore(Drop::not_for_us);
  if (exchange_->complete()) install(out);
}

void OrderedPath::install(Output& out) {
  const Agreement agreed = agree(*exchange_, ring_, members_, together_);
  sequence_ = std::max(sequence_, agreed.ring.sequence);
  store(out);
  if (agreed.between) {
    delivery_.finish(agreed.delivered, agreed.companions, *agreed.between, out);
    enter(*agreed.between, agreed.companions, out);
  }
  delivery_.finish(agreed.between ? Seq{} : agreed.delivered, agreed.companions, agreed.ring, out);
  enter(agreed.ring, agreed.members, out);
  together_ = exchange_->members;
  exchange_.reset();
  delivery_.told_stable(told_stable_, out);
}

void OrderedPath::on_message(Instant now, HostId sender, uint64_t position, Bytes packet, Output& out) {
  begin_event();
  wire::OrderedEnvelope envelope;
  if (wire::decode(packet, envelope) != wire::Malformed::none || envelope.sender.id != sender) return ignore(Drop::malformed);
  if (sender == settings_.self.id && envelope.sender != settings_.self) return ignore(Drop::duplicate_host);
  const auto well = [this](wire::Malformed how) {
    if (how != wire::Malformed::none) ignore(Drop::malformed);
    return how == wire::Malformed::none;
  };
  switch (envelope.type) {
    case OrderedType::frame:
      if (well(wire::decode(packet, frame_))) on_frame(envelope.sender, position, frame_, packet, out);
      break;
    case OrderedType::acknowledgement: {
      Acknowledgement said;
      if (!well(wire::decode(packet, said)) || !in_force(envelope.sender, said.ring)) break;
      delivery_.acknowledged(sender, said.acknowledged, out);
      break;
    }
    case OrderedType::state: {
      State state;
      if (well(wire::decode(packet, state))) on_state(envelope.sender, state, out);
      break;
    }
  }
  end_event(now, out);
}

void OrderedPath::on_stable(Instant now, uint64_t position, Output& out) {
  begin_event();
  if (!settings_.medium_tells_stability) return ignore(Drop::wrong_phase);
  told_stable_ = std::max(told_stable_, position);
  // Within an exchange it is about the membership that we read now, not about the ring that ends; and our state has said how far we are in that.
  if (!exchange_ || planted(Mutant::ordered_not_frozen)) delivery_.told_stable(told_stable_, out);
  end_event(now, out);
}

}  // namespace evs::ordering
