// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_delivery.cc - see ordered_delivery.h.
#include "bus/ordering/ordered_delivery.h"

#include <algorithm>
#include <utility>

#include "bus/ordering/mutant.h"

namespace evs::ordering {

void OrderedDelivery::begin(const RingId& ring, const Hosts& members) {
  ring_ = ring;
  members_.clear();
  for (const Host& host : members) members_.push_back({host, Seq{}, 0});
  received_ = delivered_ = wanted_ = Seq{};
  told_ = changes_ = changes_read_ = 0;
}

OrderedDelivery::Member& OrderedDelivery::member(HostId id) {
  return *std::lower_bound(members_.begin(), members_.end(), id, [](const Member& m, HostId wanted) { return m.host.id < wanted; });
}

size_t OrderedDelivery::own_waiting(HostId self) const { return const_cast<OrderedDelivery*>(this)->member(self).waiting; }

// A member alone has nobody to wait for.
bool OrderedDelivery::by_all(Seq seq) const {
  return members_.size() == 1 || std::all_of(members_.begin(), members_.end(), [seq](const Member& m) { return m.acknowledged >= seq; });
}

bool OrderedDelivery::may_pass(const Waiting& waiting) const {
  if (waiting.frame.delivered) return true;
  if (waiting.change) return by_all(waiting.frame.seq) || planted(Mutant::ordered_change_at_once);
  if (waiting.frame.service != Service::safe || planted(Mutant::ordered_safe_at_once)) return true;
  return medium_tells_ && members_.size() > 1 ? waiting.position <= told_ : by_all(waiting.frame.seq);
}

void OrderedDelivery::hand_on(Waiting& waiting, bool transitional, Output& out) {
  Member& sender = member(waiting.frame.sender);
  waiting.frame.delivered = true;
  --sender.waiting;
  assembly_.deliver(ring_, waiting.frame, sender.host, transitional, out);
}

void OrderedDelivery::pop() {
  delivered_ = waiting_.front().frame.seq;
  handed_on_.push_back(std::move(waiting_.front().frame));
  waiting_.pop_front();
}

// FIFO that waited for what its sender said before.
void OrderedDelivery::follow(HostId sender, Output& out) {
  for (Waiting& waiting : waiting_) {
    if (waiting.frame.sender != sender || waiting.frame.delivered) continue;
    if (waiting.change || waiting.frame.service > Service::fifo) return;
    hand_on(waiting, false, out);
  }
}

void OrderedDelivery::advance(Output& out) {
  while (!waiting_.empty() && may_pass(waiting_.front())) {
    Waiting& front = waiting_.front();
    const bool early = front.frame.delivered;
    const HostId sender = front.frame.sender;
    if (!early) hand_on(front, false, out);
    if (front.change) ++changes_;
    pop();
    if (!early && !waiting_.empty()) follow(sender, out);
  }
}

void OrderedDelivery::take(const OrderedFrame& frame, const Host& sender, uint64_t position, Bytes packet, Output& out) {
  Waiting waiting;
  if (!spare_.empty()) {
    waiting.frame = std::move(spare_.back());
    spare_.pop_back();
  }
  received_ = next(received_);
  waiting.frame.seq = received_;
  waiting.frame.sender = sender.id;
  waiting.frame.service = frame.service;
  waiting.frame.piece_count = frame.piece_count;
  waiting.frame.delivered = false;
  waiting.frame.packet.assign(packet);
  waiting.position = position;
  waiting.change = frame.change;
  if (frame.change) ++changes_read_;
  if (frame.change || (frame.service == Service::safe && !medium_tells_)) wanted_ = received_;

  Member& from = member(sender.id);
  const bool early = !frame.change && (frame.service == Service::unordered || (frame.service == Service::fifo && from.waiting == 0));
  ++from.waiting;
  waiting_.push_back(std::move(waiting));
  if (early) hand_on(waiting_.back(), false, out);
  advance(out);
}

void OrderedDelivery::acknowledged(HostId by, Seq up_to, Output& out) {
  Member& from = member(by);
  if (up_to <= from.acknowledged || up_to > received_) return;  // nobody has read more than stands before its word
  from.acknowledged = up_to;
  advance(out);
}

void OrderedDelivery::told_stable(uint64_t position, Output& out) {
  if (position <= told_) return;
  told_ = position;
  advance(out);
}

Seq OrderedDelivery::acknowledgeable() const {
  if (!medium_tells_) return received_;
  return !waiting_.empty() && waiting_.front().change ? waiting_.front().frame.seq : delivered_;
}

// What was delivered early was so at all who read it, so nothing has to be made up for there. SAFE and what stands behind it: as far as one had come.
void OrderedDelivery::finish(Seq delivered_by_one, const Hosts& going_on, const RingId& next_ring, Output& out) {
  if (planted(Mutant::ordered_no_early_step)) delivered_by_one = Seq{};
  while (!waiting_.empty() && (may_pass(waiting_.front()) || waiting_.front().frame.seq <= delivered_by_one)) {
    const HostId sender = waiting_.front().frame.sender;
    const bool early = waiting_.front().frame.delivered;
    if (!early) hand_on(waiting_.front(), false, out);
    pop();
    if (!early && !waiting_.empty()) follow(sender, out);
  }
  out.configure({false, ring_, next_ring, going_on});
  // A change among these is delivered, and not installed: nothing was said behind it.
  bool uninstalled = false;
  for (; !waiting_.empty(); pop()) {
    if (!waiting_.front().frame.delivered && !uninstalled) hand_on(waiting_.front(), true, out);
    uninstalled |= planted(Mutant::ordered_speaks_ahead) && waiting_.front().change;
  }
  assembly_.forget_partial();
}

void OrderedDelivery::release_handed_on() {
  for (Frame& frame : handed_on_) spare_.push_back(std::move(frame));
  handed_on_.clear();
}

}  // namespace evs::ordering
