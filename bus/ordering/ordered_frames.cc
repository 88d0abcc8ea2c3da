// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_frames.cc - frames of the configuration that is in force, ours and others', and what they acknowledge (ordered_path.h).
#include <algorithm>

#include "bus/ordering/mutant.h"
#include "bus/ordering/ordered_path.h"

namespace evs::ordering {

template <class Packet>
void OrderedPath::send(const Packet& packet, Output& out) {
  const size_t begin = out.bytes.size();
  if (wire::encode(settings_.self, packet, out.bytes)) out.sends_from(begin, kNoHost);
}
template void OrderedPath::send(const State&, Output&);

bool OrderedPath::in_force(const Host& sender, const RingId& ring) {
  const bool is = !exchange_ && ring == ring_ && std::binary_search(members_.begin(), members_.end(), sender);
  if (!is) ignore(exchange_ ? Drop::frozen : Drop::other_ring);
  return is;
}

void OrderedPath::on_frame(const Host& sender, uint64_t position, const OrderedFrame& frame, Bytes packet, Output& out) {
  if (!in_force(sender, frame.ring)) return;
  delivery_.acknowledged(sender.id, frame.acknowledged, out);
  // Its sender spoke in a configuration of processes that is no more in force here, and knows it when it reads this.
  const bool counts = frame.changes == delivery_.changes_read();
  if (sender == settings_.self) own_came_back(frame, counts, out);
  if (!counts) return ignore(Drop::frozen);
  delivery_.take(frame, sender, position, packet, out);
  if (frame.change) say_again_behind_change();
}

void OrderedPath::own_came_back(const OrderedFrame& frame, bool counts, Output& out) {
  if (under_way_.empty() || under_way_.front().number != frame.number) return ignore(Drop::own_echo);
  if (counts) {
    const Seq seq = next(delivery_.received());
    const size_t first = out.stamped.size();
    for (const SendQueue::Completed& done : under_way_.front().completed)
      out.stamped.push_back({done.number, frame.service, ring_, seq, done.index});
    out.tell_stamps(first);
    queue_.settle(under_way_.front().completed.size());
  }
  under_way_.pop_front();
}

// What we sent before we had read the change stands behind it and is void.
void OrderedPath::say_again_behind_change() {
  for (UnderWay& each : under_way_) each.void_ = true;
  queue_.restart_partial();
}

Submitted OrderedPath::submit(Instant now, Service service, Bytes message, bool change, uint64_t& number, Output& out) {
  begin_event();
  const Role role = change ? Role::change : Role::message;
  if (message.size() > settings_.message_limit || !queue_.ever_has_room(message.size(), role)) return Submitted::too_big;
  if (!queue_.has_room(message.size(), role)) return Submitted::again;
  number = next_message_++;
  queue_.push(number, service, message, role);
  end_event(now, out);
  return Submitted::ok;
}

// Nobody speaks in a configuration that it has not delivered: whoever reads what is said there has installed it, or would not have got so far.
bool OrderedPath::may_send() const {
  if (exchange_ || queue_.empty()) return false;
  if (delivery_.change_waits() && !planted(Mutant::ordered_speaks_ahead)) return false;
  if (!under_way_.empty() && under_way_.back().change && !under_way_.back().void_) return false;
  return under_way_.size() + delivery_.own_waiting(settings_.self.id) < settings_.own_frames;
}

void OrderedPath::send_frame(Output& out) {
  UnderWay& under_way = under_way_.emplace_back();
  payload_.resize(settings_.frame_bytes - wire::kOrderedFrameBytes);
  const SendQueue::Packed packed = queue_.pack(payload_, under_way.completed);
  OrderedFrame frame;
  frame.ring = ring_;
  frame.service = packed.service;
  frame.change = packed.ends_change;
  frame.piece_count = packed.piece_count;
  frame.acknowledged = delivery_.acknowledgeable();
  frame.changes = planted(Mutant::ordered_speaks_ahead) ? delivery_.changes_read() : delivery_.changes();
  frame.number = next_frame_++;
  frame.payload = Bytes(payload_).first(packed.bytes);
  under_way.number = frame.number;
  under_way.change = frame.change;
  said_ = std::max(said_, frame.acknowledged);
  send(frame, out);
}

// All events end here: what waits is sent, and what is owed is said in it, or promised for a little later.
void OrderedPath::end_event(Instant now, Output& out) {
  while (may_send()) send_frame(out);
  const bool owed = !exchange_ && members_.size() > 1 && delivery_.wanted() > said_ && delivery_.acknowledgeable() >= delivery_.wanted();
  if (!owed) {
    acknowledge_at_ = kNever;
  } else if (acknowledge_at_ == kNever) {
    acknowledge_at_ = now + settings_.acknowledge_after;
  }
}

void OrderedPath::on_deadline(Instant now, Output& out) {
  begin_event();
  if (acknowledge_at_ > now) return;
  said_ = delivery_.acknowledgeable();
  send(Acknowledgement{ring_, said_}, out);
  end_event(now, out);
}

}  // namespace evs::ordering
