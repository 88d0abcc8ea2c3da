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

bool Deliverer::may(const Frame& frame) {
  if (!room_.is_limited() || room_.has(frame.payload().size() + assembly_.under_way(frame.sender), frame.piece_count)) return true;
  held_ = true;
  rare_.saw(Rare::no_room);
  return false;
}

void Deliverer::hand_on(Frame& frame, Sender& sender, bool transitional, Output& out) {
  frame.delivered = true;
  const size_t first = out.deliveries.size();
  assembly_.deliver(ring_, frame, sender.host, transitional, out);
  if (!room_.is_limited()) return;
  for (size_t i = first; i < out.deliveries.size(); ++i) room_.take(out.deliveries[i].bytes.size());
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
        if (!frame->delivered && !may(*frame)) return;
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
  const bool due = frame->service == Service::unordered || follows;
  if (due && (held_ || !may(*frame))) {
    sender->waiting.push_back(seq);
    return;
  }
  if (due) hand_on(*frame, *sender, false, out);
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
  while (!held_ && delivered_ < store_.received_up_to()) {
    Frame* frame = store_.find(next(delivered_));
    if (frame == nullptr) return;
    if (frame->service == Service::safe && frame->seq > stable) return;
    if (!frame->delivered && !may(*frame)) return;
    pass_in_order(*frame, out);
  }
}

void Deliverer::go_on(Seq stable, Output& out) {
  held_ = false;
  for (Sender& sender : senders_)
    if (!sender.waiting.empty()) follow_chain(sender, out);
  advance(stable, out);
}

void Deliverer::begin_finish(Seq delivered_by_one, const Hosts& going_on, const RingId& next_ring, const Hosts& obligations) {
  finish_ = Finish{delivered_by_one, going_on, obligations, next_ring, Part::unordered, {}, false};
  begin_part(Part::unordered);
}

void Deliverer::begin_part(Part part) {
  finish_->part = part;
  finish_->at = next(delivered_);
}

// What some member may have delivered early, all deliver in the old configuration: failure atomicity holds in each of the two.
bool Deliverer::finish(Output& out) {
  held_ = false;
  const bool early = !planted(Mutant::no_early_step);
  if (finish_->part == Part::unordered) {
    if (early && !finish_unordered(out)) return false;
    begin_part(Part::in_order);
  }
  if (finish_->part == Part::in_order) {
    if (!finish_in_order(out)) return false;
    begin_part(Part::chains);
  }
  if (finish_->part == Part::chains) {
    if (early && !finish_chains(out)) return false;
    begin_part(Part::configuration);
  }
  if (finish_->part == Part::configuration) {
    out.configure({false, ring_, finish_->next, finish_->going_on});
    begin_part(Part::rest);
  }
  if (!finish_rest(out)) return false;
  assembly_.forget_partial();
  finish_.reset();
  return true;
}

bool Deliverer::finish_unordered(Output& out) {
  for (Seq& s = finish_->at; s <= store_.high(); s = next(s)) {
    Frame* frame = store_.find(s);
    if (frame == nullptr || frame->delivered || frame->service != Service::unordered) continue;
    Sender* sender = sender_of(frame->sender);
    if (sender == nullptr) continue;
    if (!may(*frame)) return false;
    rare_.saw(Rare::early_by_others);
    hand_on(*frame, *sender, false, out);
  }
  return true;
}

bool Deliverer::finish_in_order(Output& out) {
  const Seq safe_up_to = planted(Mutant::most_delivered_ignored) ? Seq{} : finish_->delivered_by_one;
  while (delivered_ < store_.received_up_to()) {
    Frame* frame = store_.find(next(delivered_));
    if (frame == nullptr || (frame->service == Service::safe && frame->seq > safe_up_to)) break;
    if (!frame->delivered && !may(*frame)) return false;
    if (frame->service == Service::safe) rare_.saw(Rare::others_had_delivered);
    pass_in_order(*frame, out);
    if (held_) return false;  // what follows in its sender's order found no room
  }
  return true;
}

bool Deliverer::finish_chains(Output& out) {
  for (Seq& s = finish_->at; s <= store_.high(); s = next(s)) {
    Frame* frame = store_.find(s);
    Sender* sender = frame == nullptr ? nullptr : sender_of(frame->sender);
    if (sender == nullptr || frame->previous > sender->chain || frame->service > Service::fifo) continue;
    if (!frame->delivered && !may(*frame)) return false;
    if (s > sender->chain) sender->chain = s;
    if (frame->delivered) continue;
    rare_.saw(Rare::early_by_others);
    hand_on(*frame, *sender, false, out);
  }
  return true;
}

bool Deliverer::finish_rest(Output& out) {
  for (Seq& s = finish_->at; s <= store_.high(); s = next(s)) {
    Frame* frame = store_.find(s);
    if (frame == nullptr) {
      finish_->gap = true;
      continue;
    }
    Sender* sender = sender_of(frame->sender);
    if (sender == nullptr || frame->delivered) continue;
    // Behind a gap only those are heard who had shown us all that they held: nothing of theirs can depend on what is missing.
    if (finish_->gap && !std::binary_search(finish_->obligations.begin(), finish_->obligations.end(), sender->host)) {
      rare_.saw(Rare::discarded_behind_gap);
      continue;
    }
    if (!may(*frame)) return false;
    if (finish_->gap) {
      const bool companion = std::binary_search(finish_->going_on.begin(), finish_->going_on.end(), sender->host);
      rare_.saw(companion ? Rare::obliged_behind_gap : Rare::obliged_beyond_companions);
    }
    hand_on(*frame, *sender, true, out);
  }
  return true;
}

}  // namespace evs::ordering
