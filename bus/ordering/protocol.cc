// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol.cc - events come in here and go to the phase that they are for.
#include "bus/ordering/protocol.h"
#include "bus/ordering/mutant.h"

#include <utility>

namespace evs::ordering {

#ifdef EVS_ORDERING_MUTANTS
Mutant g_mutant = Mutant::none;
#endif

Protocol::Protocol(const Settings& settings)
    : settings_(settings), store_(std::make_unique<FrameStore>(settings.store_frames)), assembly_(settings.message_limit),
      room_(settings.delivery_overhead), queue_(settings.queue_bytes), opening_(settings.exchange ? settings.message_limit : 0), next_number_(settings.first_message) {}
Protocol::~Protocol() = default;

const char* Protocol::phase_name() const {
  constexpr const char* kNames[] = {"closed", "gather", "commit", "recovery", "operational", "apart"};
  static_assert(std::size(kNames) == std::variant_size_v<decltype(phase_)>);
  return kNames[phase_.index()];
}

const char* name_of(Why why) {
  constexpr const char* kNames[] = {"started", "token lost", "foreign ring", "join heard", "cannot receive", "consensus missed", "commit lost", "recovery lost",
                                    "recovery too long", "barrier too long", "held too long", "names run out"};
  static_assert(std::size(kNames) == static_cast<size_t>(Why::count_));
  return kNames[static_cast<size_t>(why)];
}

const char* name_of(Drop why) {
  constexpr const char* kNames[] = {"malformed", "other ring", "stale token", "stale commit", "not for us", "own echo", "names us failed",
                                    "stale join", "quarantined", "duplicate host", "frozen", "outside window", "mark fell", "distrusted", "wrong phase",
                                    "superseded"};
  static_assert(std::size(kNames) == static_cast<size_t>(Drop::count_));
  return kNames[static_cast<size_t>(why)];
}

// "; stale token 3, frozen 17": what was refused, for people.
std::string Protocol::drops_text() const {
  std::string text;
  for (size_t i = 0; i < drops_.size(); ++i)
    if (drops_[i] != 0) text += std::string(text.empty() ? " (" : ", ") + name_of(static_cast<Drop>(i)) + " " + std::to_string(drops_[i]);
  return text.empty() ? text : text + ")";
}

void Protocol::store_sequence(Output& out) {
  if (!planted(Mutant::ring_sequence_lost)) out.store(Stored::Kind::sequence, std::max(sequence_known_, sequence_promised_));
}

void Protocol::raise_sequence(uint64_t stored, Output& out) {
  past_sequence_ = stored;
  sequence_known_ = sequence_promised_ = stored + 1;
  store_sequence(out);
  if (settings_.for_successor) out.store(Stored::Kind::life, settings_.self.nonce);
}

// No ring can be named any more. A name that comes twice breaks what everybody relies on: so this host leaves.
void Protocol::run_out(Instant now, Output& out) {
  leave(now, out);
  ran_out_ = true;
}

void Protocol::start(Instant now, Output& out) {
  if (settings_.ring_sequence >= kMaxSequence) return run_out(now, out);
  raise_sequence(settings_.ring_sequence, out);
  begin_alone(now, out);
}

// A host begins alone, in a ring of its own; who else is there shows when their packets come.
void Protocol::begin_alone(Instant now, Output& out) {
  past_until_ = now + settings_.token_lost + settings_.consensus;
  ring_ = RingId{sequence_promised_, settings_.self.id, settings_.self.nonce};
  members_ = candidates_ = obligations_ = Hosts{settings_.self};
  deliverer_ = std::make_unique<Deliverer>(*store_, assembly_, room_, rare_);
  deliverer_->begin(ring_, members_);
  failed_.clear();
  stored_forgotten_ = Seq{};
  queue_.restart_partial();
  opening_.clear();
  Operating operating;
  operating.rotation = std::make_unique<Rotation>(settings_, ring_, members_, *store_, rare_);
  operating.barrier = std::make_unique<Barrier>(settings_.self.id);
  Token token;
  token.ring = ring_;
  token.visit = 1;
  token.stage = Barrier::first_stage(settings_.exchange);
  operating.held = token;
  phase_ = std::move(operating);
  ++reasons_[static_cast<size_t>(Why::started)];
  out.configure({true, ring_, ring_, members_});
  probe(out);
  deadlines_.arm(Timer::merge_probe, now + settings_.merge_probe);
  if (!queue_.empty()) deadlines_.arm(Timer::token_hold, now + 1);  // from before
}

// Who goes on from a process that was killed says so: the others have that one in their ring still, and wait for it.
void Protocol::probe(Output& out) {
  if (planted(Mutant::no_probe)) return;
  if (members_.size() == 1 && !superseded_.empty()) return send_join(out);
  send(kNoHost, Probe{ring_}, out);
}

// A deadline that is long over says that we did not run: what waits in the sockets is of a past that the others have left behind, and
// what it says about membership is not to be believed.
void Protocol::begin_event(Instant now, Output& out) {
  assembly_.release_finished();
  lying_still_.clear();
  const Instant due = deadlines_.next();
  if (due == kNever || now - due <= settings_.token_lost / 2) return;
  rare_.saw(Rare::pause_noticed);
  out.add(Effect::Kind::paused).paused_for = now - due;
  out.add(Effect::Kind::flush_receive);
  distrust_until_ = now + settings_.join_resend / 2;
}

// The end of each event: how long have deliveries been waiting for room? Who is alone stops nobody.
void Protocol::end_event(Instant now) {
  const bool stops_others = is_held() && !std::holds_alternative<Closed>(phase_) && !std::holds_alternative<Apart>(phase_) &&
                            (members_.size() > 1 || !is_operational()) && !planted(Mutant::stalled_stays);
  if (!stops_others) {
    stalled_since_ = kNever;
    return deadlines_.disarm(Timer::stalled);
  }
  if (stalled_since_ == kNever) stalled_since_ = now;
  deadlines_.arm(Timer::stalled, stalled_since_ + settings_.stalled_host);
}

void Protocol::on_packet(Instant now, Bytes packet, Output& out) {
  if (std::holds_alternative<Closed>(phase_)) return;
  begin_event(now, out);
  take_packet(now, packet, out);
  end_event(now);
}

void Protocol::take_packet(Instant now, Bytes packet, Output& out) {
  wire::Envelope envelope;
  if (wire::decode(packet, envelope) != wire::Malformed::none) return ignore(Drop::malformed);
  const Host sender = envelope.sender;
  if (sender == settings_.self) return ignore(Drop::own_echo);
  if (sender.id == settings_.self.id) {
    if (is_own_past(now, sender, wire::sequence_in(packet))) return ignore(Drop::superseded);
    return report_duplicate(sender, out);
  }
  if (std::holds_alternative<Apart>(phase_)) return ignore(Drop::wrong_phase);
  const bool membership = envelope.type == PacketType::join || envelope.type == PacketType::commit;
  if (membership && now < distrust_until_) return ignore(Drop::distrusted);
  const auto well = [this](wire::Malformed how) {
    if (how != wire::Malformed::none) ignore(Drop::malformed);
    return how == wire::Malformed::none;
  };
  switch (envelope.type) {
    case PacketType::data:
      if (well(wire::decode(packet, data_))) on_data(now, sender, data_, packet, out);
      break;
    case PacketType::token:
      if (well(wire::decode(packet, token_))) on_token(now, token_, out);
      break;
    case PacketType::join:
      if (well(wire::decode(packet, join_))) on_join(now, sender, join_, out);
      break;
    case PacketType::commit:
      if (well(wire::decode(packet, commit_))) on_commit(now, commit_, out);
      break;
    case PacketType::probe: {
      Probe probe;
      if (well(wire::decode(packet, probe))) on_foreign(now, sender, probe.ring, out);
      break;
    }
    case PacketType::hold_cancel: {
      HoldCancel cancel;
      if (!well(wire::decode(packet, cancel))) break;
      auto* operating = std::get_if<Operating>(&phase_);
      if (operating == nullptr || cancel.ring != ring_) return ignore(Drop::other_ring);
      operating->rotation->wake();
      if (!operating->held) break;
      rare_.saw(Rare::hold_cancelled);
      release(now, *operating, out);
      break;
    }
  }
}

void Protocol::on_deadline(Instant now, Output& out) {
  if (std::holds_alternative<Closed>(phase_)) return;
  begin_event(now, out);
  while (const auto timer = deadlines_.take_due(now)) {
    auto* operating = std::get_if<Operating>(&phase_);
    auto* recovering = std::get_if<Recovering>(&phase_);
    switch (*timer) {
      case Timer::token_lost:
        enter_gather(now, recovering ? Why::recovery_lost : operating ? Why::token_lost : Why::commit_lost, out);
        break;
      case Timer::token_resend: {
        const Rotation* rotation = operating ? operating->rotation.get() : recovering && recovering->token_seen ? recovering->rotation.get() : nullptr;
        if (rotation != nullptr) {
          rotation->repeat(out);
        } else if (!kept_commit_.empty()) {
          out.send(kept_commit_to_, kept_commit_);
        }
        deadlines_.arm(Timer::token_resend, now + settings_.token_resend);
        break;
      }
      case Timer::token_hold:
        if (operating != nullptr && operating->held) go_on(now, *operating, out);
        break;
      case Timer::join_resend:
        send_join(out);
        deadlines_.arm(Timer::join_resend, now + settings_.join_resend);
        break;
      case Timer::consensus:
        on_consensus_missed(now, out);
        break;
      case Timer::merge_probe:
        if (operating != nullptr && operating->rotation->is_representative()) probe(out);
        deadlines_.arm(Timer::merge_probe, now + settings_.merge_probe);
        break;
      case Timer::stalled:
        // What this call has had stored already is read from where it lies: in another call.
        if (!out.windows.empty()) {
          stalled_again_at(now + 1);
          break;
        }
        rare_.saw(Rare::stalled_left);
        go_apart(now, out);
        break;
      case Timer::count_:
        break;
    }
    if (*timer == Timer::stalled) break;
  }
  end_event(now);
}

void Protocol::send_leave(Output& out) {
  Join join;
  join.ring_sequence = std::max(sequence_known_, sequence_promised_);
  join.leaving = true;
  join.candidates = without(candidates_, Hosts{settings_.self});
  join.failed = Hosts{settings_.self};
  send(kNoHost, join, out);
}

void Protocol::leave(Instant, Output& out) {
  if (std::holds_alternative<Closed>(phase_)) return;
  send_leave(out);
  phase_ = Closed{};
  deadlines_.disarm_all();
}

}  // namespace evs::ordering
