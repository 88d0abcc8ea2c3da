// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_apart.cc - what is delivered waits for room; and a host that waits for too long leaves its ring by itself.
//
// Deliveries that find no room stay in the window, and the lines cover only what that holds: so others slow down, and then stop. A
// configuration may end meanwhile. The next ring is installed then as far as others see, but here its configuration comes behind the end of the one
// before, and until then this host delivers, promises and sends nothing in it: what it holds of that ring it has told nobody, and can leave.
//
// Who could deliver nothing for Settings::stalled_host leaves, as a host does that stops, so that the others go on at once. It owes its own log
// what it has promised: the end of the ring, as if all others had gone. When there is room for that it begins alone, and joins the others anew.
// A killed process's successor goes the same way (protocol_resume.cc).
#include <algorithm>
#include <utility>

#include "bus/ordering/mutant.h"
#include "bus/ordering/protocol.h"

namespace evs::ordering {
namespace {

// What finish() delivers again from the stored frames, and the log has already, is taken out.
void take_out_told(const Apart& apart, size_t first, Output& out) {
  const auto told = [&](const Effect& effect) {
    if (effect.kind == Effect::Kind::configuration) return apart.transitional_told && !out.configurations[effect.begin].regular;
    if (effect.kind != Effect::Kind::deliver || planted(Mutant::told_again)) return false;
    const Delivery& delivery = out.deliveries[effect.begin];
    return apart.told.count({delivery.seq, delivery.index}) != 0;
  };
  const auto begin = out.effects.begin() + static_cast<ptrdiff_t>(first);
  out.effects.erase(std::remove_if(begin, out.effects.end(), told), out.effects.end());
}

}  // namespace

// A frame's messages come together, behind what was put together of the message that it ends.
uint64_t Protocol::least_room(const Settings& settings) {
  return uint64_t{settings.message_limit} + wire::kMaxPacketBytes + uint64_t{kMaxPieces} * settings.delivery_overhead;
}

// The ring that is installed ends, and `end.next` takes its place: that one's store and deliverer are the caller's to make.
void Protocol::begin_ending(const Ending& end) {
  ending_ = EndingRing{ring_, std::move(store_), std::move(deliverer_)};
  ending_->deliverer->begin_finish(end.delivered_by_one, end.going_on, end.next, end.obligations);
  ring_ = end.next;
  members_ = end.members;
}

// True: all of it is delivered.
bool Protocol::end_ring(Output& out) {
  const size_t first = out.effects.size();
  const bool ended = ending_->deliverer->finish(out);
  if (const auto* apart = std::get_if<Apart>(&phase_); apart != nullptr && apart->told_ring == ending_->ring) take_out_told(*apart, first, out);
  if (!ended) return false;
  if (spare_store_) lying_still_.push_back(std::move(spare_store_));
  spare_store_ = std::move(ending_->store);
  spare_ring_ = ending_->ring;
  ending_.reset();
  return true;
}

// The end of the ring before is delivered, and the one that is installed begins.
void Protocol::ring_is_there(Instant now, Output& out) {
  out.configure({true, ring_, ring_, members_});
  auto& operating = std::get<Operating>(phase_);
  operating.rotation->release_line();
  deliverer_->go_on(operating.rotation->stable(), out);
  if (operating.rotation->is_alone()) run_alone(now, operating, out);
}

void Protocol::on_room(Instant now, uint64_t bytes, Output& out) {
  room_.set(bytes);
  if (std::holds_alternative<Closed>(phase_) || !is_held()) return;
  begin_event(now, out);
  const size_t before = out.deliveries.size();
  deliver_held(now, out);
  if (out.deliveries.size() != before) stalled_since_ = kNever;  // slow, but not stopped
  end_event(now);
}

void Protocol::deliver_held(Instant now, Output& out) {
  if (std::holds_alternative<Apart>(phase_)) return go_on_apart(now, out);
  if (ending_) {
    if (end_ring(out)) ring_is_there(now, out);
    return;
  }
  if (std::holds_alternative<Committing>(phase_) || std::holds_alternative<Recovering>(phase_))
    return deliverer_->stop_holding();  // the freeze rule: it comes with the end of the ring
  auto* operating = std::get_if<Operating>(&phase_);
  deliverer_->go_on(operating != nullptr ? operating->rotation->stable() : Seq{}, out);
  if (operating != nullptr && operating->rotation->is_alone()) run_alone(now, *operating, out);
}

void Protocol::go_apart(Instant now, Output& out) {
  const uint64_t sequence = std::max(sequence_known_, sequence_promised_) + kSequenceStep;
  if (sequence > kMaxSequence) return run_out(now, out);
  if (auto* recovering = std::get_if<Recovering>(&phase_)) {
    spare_store_ = std::move(recovering->store);
    spare_ring_ = RingId{};
  }
  send_leave(out);
  phase_ = Apart{};
  deadlines_.disarm_all();
  kept_commit_.clear();
  sequence_known_ = sequence_promised_ = sequence;
  store_sequence(out);
  go_on_apart(now, out);
}

// The rings that end, one behind the other: one that waited for room, the installed one; then a ring of our own.
void Protocol::go_on_apart(Instant now, Output& out) {
  auto& apart = std::get<Apart>(phase_);
  if (ending_) {
    if (!end_ring(out)) return;
    if (!apart.last) out.configure({true, ring_, ring_, members_});
  }
  if (!apart.last) {
    apart.last = true;
    Ending end;
    end.next = RingId{sequence_promised_, settings_.self.id, settings_.self.nonce};
    end.members = Hosts{settings_.self};
    if (const Host* before = with_id(members_, settings_.self.id)) end.going_on = Hosts{*before};
    end.obligations = obligations_;
    add(end.obligations, end.going_on);
    end.delivered_by_one = deliverer_->delivered_up_to();
    if (apart.told_ring == ring_) end.delivered_by_one = std::max(end.delivered_by_one, apart.told_in_order);
    store_window(out.stamped.size(), out);
    store_ending(end, out);
    begin_ending(end);
    store_ = std::make_unique<FrameStore>(settings_.store_frames);
    if (!end_ring(out)) return;
  }
  begin_alone(now, out);
}

// ---- Others, who are there and do not do their part. ----------------------------------------------------------------------------

void Protocol::give_up(Instant now, const Hosts& hosts, Why why, Output& out) {
  add(failed_, hosts);
  enter_gather(now, why, out);
}

void Protocol::watch_others(Instant now, Operating& operating, const Token& token, Output& out) {
  const auto member = [&](HostId id) -> const Host* { return id == kNoHost || id == settings_.self.id ? nullptr : with_id(members_, id); };
  if (const Host* deaf = member(operating.rotation->deaf())) return give_up(now, {*deaf}, Why::cannot_receive, out);
  if (token.held_by != operating.held_by) {
    operating.held_by = token.held_by;
    operating.held_since = now;
  }
  // It ought to have left by itself.
  if (const Host* holder = member(token.held_by); holder != nullptr && now - operating.held_since > 2 * settings_.stalled_host && !planted(Mutant::stalled_stays)) {
    rare_.saw(Rare::given_up_as_holder);
    return give_up(now, {*holder}, Why::held_too_long, out);
  }
  if (operating.barrier->waits_for_exchange(token) && token.held_by == kNoHost && ++operating.exchange_visits > settings_.recovery_visits) {
    const Hosts missing = without(without(members_, operating.opened), {settings_.self});
    operating.exchange_visits = 0;
    if (!missing.empty()) {
      rare_.saw(Rare::exchange_given_up);
      return give_up(now, missing, Why::barrier_too_long, out);
    }
  }
  if (const Host* stuck = member(operating.barrier->stuck_at(settings_.recovery_visits))) {
    rare_.saw(Rare::barrier_given_up);
    return give_up(now, {*stuck}, Why::barrier_too_long, out);
  }
}

}  // namespace evs::ordering
