// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_recovery.cc - on the new ring, before anything new: what the old one left.
//
// Frames of the old ring are said again inside frames of the new one, which orders, repeats and acknowledges them like any others. The ring
// is installed when nobody has anything left to say, everybody holds all of it, and everybody knows that: one more rotation each.
#include "bus/ordering/protocol.h"
#include "bus/ordering/mutant.h"

#include <cstring>
#include <utility>

namespace evs::ordering {

class Protocol::RecoveryWork : public Work {
 public:
  RecoveryWork(Protocol& protocol, Recovering& recovering) : protocol_(protocol), recovering_(recovering) {}
  uint32_t frames() const override { return static_cast<uint32_t>(recovering_.to_say.size()); }
  bool stamp(const RingId& ring, Seq seq, Seq previous, uint64_t round, Frame& frame, Output&) override {
    while (!recovering_.to_say.empty()) {
      const Seq old = recovering_.to_say.back();
      recovering_.to_say.pop_back();
      const Frame* said = protocol_.store_->find(old);
      if (said == nullptr) continue;
      Data data;
      data.ring = ring;
      data.seq = seq;
      data.previous = previous;
      data.round = round;
      data.service = Service::agreed;
      data.body = Body::recovered;
      frame.service = data.service;
      frame.body = data.body;
      frame.piece_count = 0;
      const Bytes packet = said->packet;
      std::memcpy(frame.packet.begin(wire::kDataHeaderBytes + packet.size()) + wire::kDataHeaderBytes, packet.data(), packet.size());
      frame.packet.end(wire::kDataHeaderBytes + packet.size());
      return wire::encode_around(protocol_.settings_.self, data, frame.packet.whole());
    }
    return false;
  }
  void before_sending(Seq, Seq, Output& out) override { protocol_.store_window(0, out); }

 private:
  Protocol& protocol_;
  Recovering& recovering_;
};

// Another member's frame of the old ring: we hold it from here on, and need not say it ourselves.
void Protocol::absorb(const Data& outer) {
  auto& recovering = std::get<Recovering>(phase_);
  wire::Envelope envelope;
  Data old;
  if (wire::decode(outer.payload, envelope) != wire::Malformed::none || envelope.type != PacketType::data) return ignore(Drop::malformed);
  if (wire::decode(outer.payload, old) != wire::Malformed::none || old.body != Body::pieces) return ignore(Drop::malformed);
  if (old.ring != ring_) return;  // of another old ring than ours
  std::erase(recovering.to_say, old.seq);
  if (store_->put(old, envelope.sender.id, outer.payload) == FrameStore::Put::fresh) note_received(old.seq);
}

void Protocol::begin_tokens(Instant now, Recovering& recovering, Output& out) {
  recovering.began = true;
  Token token;
  token.ring = recovering.ring;
  token.visit = 1;
  token.lowered_by = settings_.self.id;
  token.stage = Barrier::first_stage(settings_.exchange);
  token.recovering = recovering.flag_is_mine = !recovering.to_say.empty();
  recovery_visit(now, recovering, std::move(token), out);
}

void Protocol::recovery_visit(Instant now, Recovering& recovering, Token token, Output& out) {
  recovering.token_seen = true;
  for (;;) {
    recovering.store->forget_through(recovering.rotation->stable());  // absorbed by all
    RecoveryWork work(*this, recovering);
    recovering.rotation->visit(token, work, false, out);
    recovering.barrier->end_visit(token, Seq{});  // nothing of this ring is delivered yet
    if (!recovering.to_say.empty()) {
      token.recovering = recovering.flag_is_mine = true;
    } else if (recovering.flag_is_mine) {
      token.recovering = recovering.flag_is_mine = false;
    }
    recovering.quiet_visits = token.recovering ? 0 : recovering.quiet_visits + 1;
    if (recovering.quiet_visits == 2) recovering.install_at = token.high;
    if (recovering.quiet_visits >= 2 && !recovering.received && recovering.store->received_up_to() >= recovering.install_at) {
      // The token that leaves now tells that we hold everything: others may deliver and install because of it, whatever becomes of us.
      recovering.received = true;
      if (!planted(Mutant::no_obligations)) add(obligations_, recovering.obligations);
      store_sequence(out);
      if (settings_.for_successor && !planted(Mutant::obligations_not_stored)) out.store_obligations(obligations_);
    }
    const bool whole = recovering.quiet_visits >= 3 && token.received_by_all >= recovering.install_at;
    recovering.whole_visits = whole ? recovering.whole_visits + 1 : 0;
    if (planted(Mutant::one_visit_install) && recovering.received) recovering.whole_visits = 2;
    if (!recovering.rotation->is_alone()) break;
    if (recovering.whole_visits >= 2) return install(now, out);
    ++token.visit;
  }
  recovering.rotation->pass_on(token, out);
  token_passed(now);
  if (recovering.whole_visits >= 2) return install(now, out);
  if (++recovering.visits > settings_.recovery_visits) enter_gather(now, Why::recovery_too_long, out);
}

void Protocol::install(Instant now, Output& out) {
  auto recovering = std::move(std::get<Recovering>(phase_));
  Seq delivered_by_one = deliverer_->delivered_up_to();
  for (size_t i = 0; i < recovering.members.size(); ++i)
    if (contains(recovering.going_on, recovering.members[i])) delivered_by_one = std::max(delivered_by_one, recovering.entries[i].delivered);
  store_window(0, out);
  const Ending end{recovering.ring, recovering.members, recovering.going_on, obligations_, delivered_by_one, recovering.install_at};
  store_ending(end, out);
  begin_ending(end);
  store_ = std::move(recovering.store);
  ring_ = recovering.ring;
  members_ = recovering.members;
  obligations_ = Hosts{settings_.self};
  quarantine_failed(now);
  candidates_ = members_;
  failed_.clear();
  recoveries_broken_ = 0;
  if (!planted(Mutant::partial_goes_on) && queue_.restart_partial()) rare_.saw(Rare::partial_restarted);
  opening_.clear();
  deliverer_ = std::make_unique<Deliverer>(*store_, assembly_, room_, rare_);
  deliverer_->begin(ring_, members_);
  stored_forgotten_ = recovering.install_at;
  for (Seq s = next(recovering.install_at); s <= store_->high(); s = next(s))
    if (store_->find(s) != nullptr) note_received(s);

  Operating operating;
  operating.rotation = std::move(recovering.rotation);
  operating.barrier = std::move(recovering.barrier);
  if (operating.rotation->is_alone()) {
    Token token;
    token.ring = ring_;
    token.visit = UINT64_MAX / 2;  // above those of recovery
    token.high = token.received_by_all = store_->high();
    token.stage = Barrier::first_stage(settings_.exchange);
    operating.held = token;
  }
  phase_ = std::move(operating);
  deadlines_.disarm(Timer::join_resend);
  deadlines_.disarm(Timer::consensus);
  if (std::get<Operating>(phase_).rotation->is_alone()) {
    deadlines_.disarm(Timer::token_lost);
    deadlines_.disarm(Timer::token_resend);
  }
  deadlines_.arm(Timer::merge_probe, now + settings_.merge_probe);
  if (end_ring(out)) return ring_is_there(now, out);
  rare_.saw(Rare::ending_held);
  deliverer_->hold();
  if (!planted(Mutant::uninstalled_promised)) std::get<Operating>(phase_).rotation->hold_line(recovering.install_at);
}

}  // namespace evs::ordering
