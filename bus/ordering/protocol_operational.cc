// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_operational.cc - data and tokens of the ring that is installed; data for those phases that still take it.
#include <algorithm>
#include <utility>

#include "bus/ordering/protocol.h"
#include "bus/ordering/mutant.h"

namespace evs::ordering {
namespace {

constexpr uint32_t kIdleVisitsToRest = 3;  // after these everybody has delivered what was SAFE, too
constexpr uint32_t kVisitsAlone = 8;       // in one call

// A line that somebody lowered only that one raises, a stage ends at whom it names, and who is held says itself that it no longer is.
bool waits_for_members_only(const Token& token, const Hosts& members) {
  for (const HostId host : {token.lowered_by, token.delayed_by, token.stage_by, token.held_by})
    if (host != kNoHost && with_id(members, host) == nullptr) return false;
  return true;
}

}  // namespace

class Protocol::QueueWork : public Work {
 public:
  QueueWork(Protocol& protocol, Barrier& barrier, Token& token, const Output& out)
      : QueueWork(protocol, barrier, token, out, barrier.begin_visit(token)) {}
  QueueWork(Protocol& protocol, Barrier& barrier, Token& token, const Output& out, Barrier::May may)
      : protocol_(protocol), barrier_(barrier), token_(token), may_(may), first_stamp_(out.stamped.size()) {
    if (protocol.ending_) may_ = {};  // nothing is sent in a configuration that is not installed
  }
  uint32_t frames() const override {
    if (protocol_.ending_) return 0;
    return protocol_.waiting_frames();
  }
  bool stamp(const RingId& ring, Seq seq, Seq previous, uint64_t round, Frame& frame, Output& out) override {
    Protocol& p = protocol_;
    SendQueue* const queue = choose();
    if (queue == nullptr) return false;
    if (queue == &p.opening_) {
      barrier_.stamped_opening(token_, seq);
    } else if (queue->next_role() == Role::change) {
      barrier_.stamped_change(token_, seq);
      if (!planted(Mutant::no_barrier)) may_.messages = false;
    }
    std::byte* const at = frame.packet.begin(wire::kDataHeaderBytes + room());
    p.completed_.clear();
    const SendQueue::Packed packed = queue->pack({at + wire::kDataHeaderBytes, room()}, p.completed_);
    frame.packet.end(wire::kDataHeaderBytes + packed.bytes);
    Data data;
    data.ring = ring;
    data.seq = seq;
    data.previous = previous;
    data.round = round;
    data.service = packed.service;
    data.piece_count = packed.piece_count;
    frame.service = data.service;
    frame.body = data.body;
    frame.piece_count = data.piece_count;
    if (!wire::encode_around(p.settings_.self, data, frame.packet.whole())) return false;
    for (const SendQueue::Completed& done : p.completed_) out.stamped.push_back({done.number, packed.service, ring, seq, done.index});
    return true;
  }
  void before_sending(Seq before, Seq high, Output& out) override {
    if (!planted(Mutant::stamps_stored_late)) store_stamps(before, high, out);
  }
  void store_stamps(Seq before, Seq high, Output& out) {
    if (protocol_.settings_.for_successor)
      for (Seq s = next(before); s <= high; s = next(s)) protocol_.fresh_.push_back(s);
    protocol_.store_window(first_stamp_, out);
    out.tell_stamps(first_stamp_);
    first_stamp_ = out.stamped.size();
  }

 private:
  size_t room() const { return protocol_.frame_room(); }
  SendQueue* choose() {
    if (!protocol_.opening_.empty()) return may_.opening ? &protocol_.opening_ : nullptr;
    if (protocol_.queue_.empty()) return nullptr;
    const bool may = protocol_.queue_.next_role() == Role::change ? may_.changes : may_.messages;
    return may ? &protocol_.queue_ : nullptr;
  }

  Protocol& protocol_;
  Barrier& barrier_;
  Token& token_;
  Barrier::May may_;
  size_t first_stamp_;
};

uint32_t Protocol::waiting_frames() const {
  const auto waiting = [this](const SendQueue& queue) { return queue.empty() ? 0 : static_cast<uint32_t>(queue.backlog_bytes() / frame_room()) + 1; };
  return waiting(queue_) + waiting(opening_);
}

void Protocol::note_received(Seq seq) {
  if (settings_.for_successor && !planted(Mutant::received_not_stored)) fresh_.push_back(seq);
}

void Protocol::on_data(Instant now, const Host& sender, const Data& data, Bytes packet, Output& out) {
  if (auto* recovering = std::get_if<Recovering>(&phase_)) {
    if (data.ring == ring_ && planted(Mutant::no_freeze)) {
      if (store_->put(data, sender.id, packet) == FrameStore::Put::fresh) deliverer_->on_received(data.seq, out);
      return deliverer_->advance(Seq{}, out);
    }
    if (data.ring == ring_) return ignore(Drop::frozen);
    if (data.ring != recovering->ring || !contains(recovering->members, sender)) return ignore(Drop::other_ring);
    if (recovering->store->put(data, sender.id, packet) != FrameStore::Put::fresh) return;
    if (data.body == Body::recovered) absorb(data);
    return;
  }
  if (std::holds_alternative<Committing>(phase_) && !(planted(Mutant::no_freeze) && data.ring == ring_))
    return ignore(data.ring == ring_ ? Drop::frozen : Drop::other_ring);
  if (data.ring != ring_) return on_foreign(now, sender, data.ring, out);
  if (!contains(members_, sender)) return ignore(Drop::other_ring);
  const FrameStore::Put put = store_->put(data, sender.id, packet);
  if (put == FrameStore::Put::outside) return ignore(Drop::outside_window);
  if (put == FrameStore::Put::duplicate) return;
  note_received(data.seq);
  auto* operating = std::get_if<Operating>(&phase_);
  if (operating != nullptr) operating->rotation->heard(sender.id, data.seq, data.service);
  deliverer_->on_received(data.seq, out);
  deliverer_->advance(operating ? operating->rotation->stable() : Seq{}, out);
}

void Protocol::token_passed(Instant now) {
  deadlines_.arm(Timer::token_resend, now + settings_.token_resend);
}

// An idle token rests with who sent last, who is the likeliest to send next and then waits for nobody. When it is idle, all have what it counts, so all agree on who
// that is; should one not, it rests twice in a rotation or goes on without a rest.
bool Protocol::rests_here(const Rotation& rotation) const {
  const HostId last = store_->last_sender();
  return last == kNoHost ? rotation.is_representative() : last == settings_.self.id;
}

void Protocol::on_token(Instant now, Token token, Output& out) {
  auto* recovering = std::get_if<Recovering>(&phase_);
  auto* operating = std::get_if<Operating>(&phase_);
  if (recovering == nullptr && operating == nullptr) return ignore(Drop::wrong_phase);
  Rotation& rotation = recovering ? *recovering->rotation : *operating->rotation;
  if (token.ring != (recovering ? recovering->ring : ring_)) return ignore(Drop::other_ring);
  if (rotation.is_alone()) return ignore(Drop::not_for_us);
  if (!waits_for_members_only(token, recovering ? recovering->members : members_)) return ignore(Drop::malformed);
  if (rotation.is_outside_window(token)) return ignore(Drop::outside_window);
  if (planted(Mutant::duplicate_is_progress)) deadlines_.arm(Timer::token_lost, now + settings_.token_lost);
  if (rotation.is_stale(token)) return ignore(Drop::stale_token);  // its sender did not see us act
  if (rotation.mark_fell(token)) return ignore(Drop::mark_fell);   // no correct member says this
  if (operating != nullptr && operating->held && !planted(Mutant::held_twice)) {
    if (token.visit <= operating->held->visit) return ignore(Drop::stale_token);  // said again to us while it rests here
    operating->held.reset();
    deadlines_.disarm(Timer::token_hold);
  }

  deadlines_.arm(Timer::token_lost, now + settings_.token_lost);
  deadlines_.disarm(Timer::token_resend);
  token_came_at_ = now;
  ++rare_.ring.tokens;
  if (recovering != nullptr) return recovery_visit(now, *recovering, std::move(token), out);
  if (rests_here(rotation) && rotation.idle_visits() >= kIdleVisitsToRest && queue_.empty() && token.wanted.empty() &&
      !stands(token.stage))
    return hold(now, *operating, std::move(token), settings_.token_hold, out);
  if (rests_here(rotation) && may_linger(*operating, token)) return hold(now, *operating, std::move(token), settings_.token_linger, out);
  visit(now, *operating, std::move(token), out);
}

// While we speak alone the token stays: what is said needs nobody then, as when it is idle. A rotation comes all the same, when token_linger is over: it shows what
// was lost on its way, and lets others speak who have not asked for it. Whatever needs rotations has them first: changes, SAFE, what somebody lacks, readers that are
// slow. So has who has much to say: it gets further with a rotation, which makes room for more.
bool Protocol::may_linger(const Operating& operating, const Token& token) const {
  return settings_.token_linger != 0 && !ending_ && opening_.empty() && token.stage == Stage::open && !token.recovering && token.held_by == kNoHost && !is_held() &&
         operating.rotation->is_ours_alone(token) && operating.rotation->spoken_in_place() + waiting_frames() <= Rotation::kFramesInPlace;
}

void Protocol::hold(Instant now, Operating& operating, Token token, Duration how_long, Output& out) {
  operating.held = std::move(token);
  operating.let_go_at = now + how_long;
  if (!queue_.empty()) go_on(now, operating, out);
  else deadlines_.arm(Timer::token_hold, operating.let_go_at);
}

bool Protocol::speaks_in_place(Instant now, const Operating& operating) const {
  return now < operating.let_go_at && !operating.rotation->is_alone() && !queue_.empty() && queue_.next_role() == Role::message && queue_.next_service() != Service::safe &&
         may_linger(operating, *operating.held);
}

void Protocol::go_on(Instant now, Operating& operating, Output& out) {
  if (speaks_in_place(now, operating)) speak_in_place(now, operating, out);
  else release(now, operating, out);
}

// The visit goes on while the token is held: what is stamped here goes out in front of the token, as at any visit.
void Protocol::speak_in_place(Instant now, Operating& operating, Output& out) {
  forget();
  Token& token = *operating.held;
  const Seq before = token.high;
  const bool is_first = operating.rotation->spoken_in_place() == 0;
  const size_t first_stamp = out.stamped.size();
  QueueWork work(*this, *operating.barrier, token, out, {false, false, true});
  operating.rotation->speak_in_place(token, work, out);
  if (planted(Mutant::stamps_stored_late)) work.store_stamps(before, token.high, out);
  deliver_stamped(operating, before, token.high, out);
  if (token.high != before) {
    rare_.saw(Rare::spoke_in_place);
    if (is_first) operating.let_go_at = std::min(operating.let_go_at, now + settings_.token_linger);
  }
  const bool any_safe = std::any_of(out.stamped.begin() + static_cast<ptrdiff_t>(first_stamp), out.stamped.end(), [](const auto& one) { return one.service == Service::safe; });
  // Not in this call: what it delivered must lie still until the next one.
  if (any_safe || !queue_.empty()) operating.let_go_at = now + 1;
  deadlines_.arm(Timer::token_hold, operating.let_go_at);
}

void Protocol::forget() {
  const auto& rotation = *std::get<Operating>(phase_).rotation;
  store_->forget_through(std::min(rotation.stable(), deliverer_->delivered_up_to()));
}

void Protocol::visit(Instant now, Operating& operating, Token token, Output& out) {
  operating.cancel_sent = false;
  forget();
  const Seq before = token.high;
  if (is_held() && token.held_by == kNoHost) token.held_by = settings_.self.id;
  if (!is_held() && token.held_by == settings_.self.id) token.held_by = kNoHost;
  QueueWork work(*this, *operating.barrier, token, out);
  operating.rotation->visit(token, work, true, out);
  operating.barrier->end_visit(token, ending_ ? Seq{} : deliverer_->delivered_up_to());
  operating.rotation->pass_on(token, out);
  operating.rotation->send_rest(out);
  if (planted(Mutant::stamps_stored_late)) work.store_stamps(before, token.high, out);
  token_passed(now);
  deliver_stamped(operating, before, token.high, out);
  watch_others(now, operating, token, out);
}

void Protocol::deliver_stamped(const Operating& operating, Seq before, Seq high, Output& out) {
  for (Seq s = next(before); s <= high; s = next(s)) deliverer_->on_received(s, out);
  deliverer_->advance(operating.rotation->stable(), out);
}

// A ring of one passes the token to itself.
void Protocol::run_alone(Instant now, Operating& operating, Output& out) {
  if (ending_) return;
  forget();  // once: what is delivered, and what an effect names, lies still until the next call
  for (uint32_t i = 0; i < kVisitsAlone; ++i) {
    const Seq before = operating.held->high;
    QueueWork work(*this, *operating.barrier, *operating.held, out);
    operating.rotation->visit(*operating.held, work, false, out);
    if (planted(Mutant::stamps_stored_late)) work.store_stamps(before, operating.held->high, out);
    deliver_stamped(operating, before, operating.held->high, out);
    operating.barrier->end_visit(*operating.held, deliverer_->delivered_up_to());
    ++operating.held->visit;
    if (deliverer_->is_held() && operating.held->high == before) return;  // until there is room
    const bool delivered = deliverer_->delivered_up_to() == store_->high();
    if (delivered && opening_.empty() && (queue_.empty() || operating.barrier->waits_for_exchange(*operating.held))) return;
  }
  rare_.saw(Rare::alone_in_slices);
  deadlines_.arm(Timer::token_hold, now + 1);  // in another call: what this one delivered must lie still until then
}

void Protocol::release(Instant now, Operating& operating, Output& out) {
  deadlines_.disarm(Timer::token_hold);
  if (operating.rotation->is_alone()) return run_alone(now, operating, out);
  Token token = std::move(*operating.held);
  operating.held.reset();
  deadlines_.arm(Timer::token_lost, now + settings_.token_lost);
  visit(now, operating, std::move(token), out);
}

}  // namespace evs::ordering
