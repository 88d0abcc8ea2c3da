// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/delivery.cc - see delivery.h.
#include "bus/ordering/delivery.h"
#include "bus/ordering/mutant.h"

#include <algorithm>

namespace evs::ordering {

void Deliverer::begin(const RingId& ring, const Hosts& members) {
  ring_ = ring;
  senders_.clear();
  // What recovery has said in this ring and forgotten was nobody's message.
  delivered_ = store_.forgotten_through();
  for (const Host& host : members) senders_.push_back({host, delivered_, {}});
}

Deliverer::Sender* Deliverer::sender_of(HostId id) {
  if (last_ < senders_.size() && senders_[last_].host.id == id) return &senders_[last_];  // frames come a visit's worth at a time
  const auto at = std::lower_bound(senders_.begin(), senders_.end(), id, [](const Sender& s, HostId wanted) { return s.host.id < wanted; });
  if (at == senders_.end() || at->host.id != id) return nullptr;
  last_ = static_cast<size_t>(at - senders_.begin());
  return &*at;
}

void Deliverer::hand_on(Frame& frame, Sender& sender, bool transitional, Output& out) {
  frame.delivered = true;
  assembly_.deliver(ring_, frame, sender.host, transitional, out);
}

// What its sender stamped next may have waited for this.
void Deliverer::follow_chain(Sender& sender, Output& out) {
  bool moved = true;
  while (moved && !sender.waiting.empty()) {
    moved = false;
    for (size_t i = 0; i < sender.waiting.size(); ++i) {
      Frame* frame = store_.find(sender.waiting[i]);
      const bool passed = frame == nullptr || frame->seq <= sender.chain;
      if (!passed && frame->previous > sender.chain) continue;
      if (!passed) {
        sender.chain = frame->seq;
        if (!frame->delivered) hand_on(*frame, sender, false, out);
      }
      sender.waiting[i] = sender.waiting.back();
      sender.waiting.pop_back();
      moved = true;
      break;
    }
  }
}

void Deliverer::on_received(Seq seq, Output& out) {
  Frame* frame = store_.find(seq);
  if (frame == nullptr || frame->delivered || frame->service > Service::fifo) return;
  Sender* sender = sender_of(frame->sender);
  if (sender == nullptr) return;
  const bool follows = frame->previous <= sender->chain;
  if (frame->service == Service::unordered || follows) hand_on(*frame, *sender, false, out);
  if (!follows) {
    sender->waiting.push_back(seq);
    return;
  }
  sender->chain = seq;
  follow_chain(*sender, out);
}

void Deliverer::pass_in_order(Frame& frame, Output& out) {
  Sender* sender = sender_of(frame.sender);
  delivered_ = frame.seq;
  if (sender == nullptr) return;
  if (!frame.delivered) hand_on(frame, *sender, false, out);
  if (frame.seq > sender->chain) sender->chain = frame.seq;
  if (!sender->waiting.empty()) follow_chain(*sender, out);
}

void Deliverer::advance(Seq stable, Output& out) {
  while (delivered_ < store_.received_up_to()) {
    Frame* frame = store_.find(next(delivered_));
    if (frame == nullptr) return;
    if (frame->service == Service::safe && frame->seq > stable) return;
    pass_in_order(*frame, out);
  }
}

void Deliverer::finish(Seq delivered_by_one, const Hosts& going_on, const RingId& next_ring, const Hosts& obligations, Output& out) {
  const Seq high = store_.high();
  // What some member may have delivered early, all deliver in the old configuration: failure atomicity holds in each of the two.
  const bool early = !planted(Mutant::no_early_step);
  for (Seq s = next(delivered_); s <= high && early; s = next(s)) {
    Frame* frame = store_.find(s);
    if (frame == nullptr || frame->delivered || frame->service != Service::unordered) continue;
    if (Sender* sender = sender_of(frame->sender)) {
      rare_.saw(Rare::early_by_others);
      hand_on(*frame, *sender, false, out);
    }
  }
  while (delivered_ < store_.received_up_to()) {
    Frame* frame = store_.find(next(delivered_));
    if (frame == nullptr || (frame->service == Service::safe && frame->seq > (planted(Mutant::most_delivered_ignored) ? delivered_ : delivered_by_one))) break;
    if (frame->service == Service::safe) rare_.saw(Rare::others_had_delivered);
    pass_in_order(*frame, out);
  }
  for (Seq s = next(delivered_); s <= high && early; s = next(s)) {
    Frame* frame = store_.find(s);
    Sender* sender = frame == nullptr ? nullptr : sender_of(frame->sender);
    if (sender == nullptr || frame->previous > sender->chain || frame->service > Service::fifo) continue;
    if (s > sender->chain) sender->chain = s;
    if (frame->delivered) continue;
    rare_.saw(Rare::early_by_others);
    hand_on(*frame, *sender, false, out);
  }

  out.configure({false, ring_, next_ring, going_on});

  bool gap = false;
  for (Seq s = next(delivered_); s <= high; s = next(s)) {
    Frame* frame = store_.find(s);
    if (frame == nullptr) {
      gap = true;
      continue;
    }
    Sender* sender = sender_of(frame->sender);
    if (sender == nullptr || frame->delivered) continue;
    // Behind a gap only those are heard who had shown us all that they held: nothing of theirs can depend on what is missing.
    if (gap && !std::binary_search(obligations.begin(), obligations.end(), sender->host)) {
      rare_.saw(Rare::discarded_behind_gap);
      continue;
    }
    if (gap) rare_.saw(std::binary_search(going_on.begin(), going_on.end(), sender->host) ? Rare::obliged_behind_gap : Rare::obliged_beyond_companions);
    hand_on(*frame, *sender, true, out);
  }
  assembly_.forget_partial();
}

}  // namespace evs::ordering
