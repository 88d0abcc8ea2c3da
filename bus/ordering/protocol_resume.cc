// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_resume.cc - a process was killed, and another one of the same host goes on from what it stored.
//
// To the others this is a partition: this host leaves their ring and comes back under another boot nonce. To this host's log it is one, too: the rest
// of the old configuration, the transitional configuration of this host alone, what is left in that; a ring of its own; and then it
// joins the others. So all that the others count on is delivered here, and nothing is taken or sent any more where a dead hand might
// have done so already.
#include <algorithm>
#include <utility>

#include "bus/ordering/mutant.h"
#include "bus/ordering/stored.h"

namespace evs::ordering {
namespace {

// Memory that outlived a process is input, like a packet.
bool frame_of(Bytes packet, const RingId& ring, Data& data, wire::Envelope& envelope) {
  return wire::decode(packet, envelope) == wire::Malformed::none && wire::decode(packet, data) == wire::Malformed::none && data.ring == ring;
}

}  // namespace

const Frame* Protocol::frame(const RingId& ring, Seq seq) const {
  if (ring == ring_) return store_->find(seq);
  if (ending_ && ring == ending_->ring) return ending_->store->find(seq);
  return ring == spare_ring_ && spare_store_ ? spare_store_->find(seq) : nullptr;
}

// Frames that came or got their places since the last time, and what is no longer needed: one effect a visit, and none when nothing moved.
void Protocol::store_window(size_t first_stamp, Output& out) {
  if (!settings_.for_successor || ending_) return;  // what is not installed is promised to nobody
  const Seq forgotten = store_->forgotten_through();
  if (fresh_.empty() && forgotten <= stored_forgotten_) return;
  stored_forgotten_ = std::max(stored_forgotten_, forgotten);
  out.store_window(ring_, forgotten, fresh_, first_stamp);
  fresh_.clear();
}

void Protocol::store_ending(const Ending& end, Output& out) {
  if (settings_.for_successor && !planted(Mutant::ending_not_stored)) out.store_ending(end);
}

void Protocol::resume(Instant now, const StoredState& stored, Output& out) {
  if (std::max(settings_.ring_sequence, stored.ring_sequence) >= kMaxSequence) return run_out(now, out);
  const size_t named = std::min<size_t>(stored.lives.size(), kMaxSuperseded);
  superseded_.assign(stored.lives.end() - static_cast<ptrdiff_t>(named), stored.lives.end());
  std::sort(superseded_.begin(), superseded_.end());
  raise_sequence(std::max(settings_.ring_sequence, stored.ring_sequence), out);
  if (stored.ring != RingId{}) {
    const size_t first_stamp = out.stamped.size();
    out.stamped.insert(out.stamped.end(), stored.transmitted.begin(), stored.transmitted.end());
    out.tell_stamps(first_stamp);
    take_over(stored);
    Apart apart;
    apart.told_ring = stored.ring;
    apart.told = stored.told;
    apart.transitional_told = stored.transitional_told;
    apart.told_in_order = stored.told_in_order;
    phase_ = std::move(apart);
    if (stored.ending) go_through_stored_ending(*stored.ending);
    return go_on_apart(now, out);
  }
  begin_alone(now, out);
}

// The installed ring as it was, but that nothing of it is delivered yet beyond what is forgotten.
void Protocol::take_over(const StoredState& stored) {
  ring_ = stored.ring;
  members_ = stored.members;
  obligations_ = stored.obligations;
  store_->begin_behind(stored.forgotten);
  deliverer_ = std::make_unique<Deliverer>(*store_, assembly_, room_, rare_);
  deliverer_->begin(ring_, members_);
  Data data;
  wire::Envelope envelope;
  for (const auto& [seq, packet] : stored.frames)
    if (frame_of(packet, ring_, data, envelope)) store_->put(data, envelope.sender.id, packet);
  for (const auto& [sender, partial] : stored.beginnings)
    if (with_id(members_, sender) != nullptr) assembly_.begin_with(sender, partial);
}

// An end that was under way is gone through as it was begun: others may have seen the same configurations. Then ours.
void Protocol::go_through_stored_ending(const Ending& end) {
  begin_ending(end);
  store_ = std::make_unique<FrameStore>(settings_.store_frames);
  store_->begin_behind(end.begins_behind);
  obligations_.clear();
  deliverer_ = std::make_unique<Deliverer>(*store_, assembly_, room_, rare_);
  deliverer_->begin(ring_, members_);
}

}  // namespace evs::ordering
