// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/delivery.h - which frame is delivered when (docs/semantics.md; Moser et al. 1994).
//
//   UNORDERED  on reception
//   FIFO       on reception, once all that its sender stamped before it is delivered
//   AGREED     in order, no gap
//   SAFE       in order, once every member has it; until then nothing AGREED behind it is delivered either
//
// and, when the configuration ends, what finish() says: the same at all who go on together.
#pragma once

#include "bus/ordering/assembly.h"
#include "bus/ordering/rare.h"

namespace evs::ordering {

class Deliverer {
 public:
  Deliverer(FrameStore& store, Assembly& assembly, RareCounts& rare) : store_(store), assembly_(assembly), rare_(rare) {}

  void begin(const RingId& ring, const Hosts& members);

  void on_received(Seq seq, Output& out);              // early, where its service allows it
  void advance(Seq stable, Output& out);               // in order
  Seq delivered_up_to() const { return delivered_; }   // in order

  // The end of the configuration (the members of `going_on` have shown each other all that they hold of it). `delivered_by_one`: the most that
  // any of them had delivered in order. Delivers in the old configuration, then the transitional one, then in that.
  void finish(Seq delivered_by_one, const Hosts& going_on, const RingId& next, const Hosts& obligations, Output& out);

 private:
  struct Sender {
    Host host;
    Seq chain;                 // all that it stamped up to here is delivered
    std::vector<Seq> waiting;  // held, beyond the chain: FIFO that waits, UNORDERED that was delivered
  };
  Sender* sender_of(HostId id);
  void hand_on(Frame& frame, Sender& sender, bool transitional, Output& out);
  void follow_chain(Sender& sender, Output& out);
  void pass_in_order(Frame& frame, Output& out);

  FrameStore& store_;
  Assembly& assembly_;
  RareCounts& rare_;
  RingId ring_;
  std::vector<Sender> senders_;  // by id
  size_t last_ = 0;              // who was looked for last
  Seq delivered_;
};

}  // namespace evs::ordering
