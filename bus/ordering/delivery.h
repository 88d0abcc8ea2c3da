// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/delivery.h - which frame is delivered when (docs/semantics.md; Moser et al. 1994).
//
//   UNORDERED  on reception
//   FIFO       on reception, once all that its sender stamped before it is delivered
//   AGREED     in order, no gap
//   SAFE       in order, once every member has it; until then nothing AGREED behind it is delivered either
//
// and, when the configuration ends, what begin_finish() says: the same at all who go on together.
//
// All of it as far as there is room (room.h). What finds none waits in its place, and whatever is behind it in its order with it.
#pragma once

#include <optional>

#include "bus/ordering/assembly.h"
#include "bus/ordering/rare.h"
#include "bus/ordering/room.h"

namespace evs::ordering {

class Deliverer {
 public:
  Deliverer(FrameStore& store, Assembly& assembly, Room& room, RareCounts& rare)
      : store_(store), assembly_(assembly), room_(room), rare_(rare) {}

  void begin(const RingId& ring, const Hosts& members);

  void on_received(Seq seq, Output& out);              // early, where its service allows it
  void advance(Seq stable, Output& out);               // in order
  Seq delivered_up_to() const { return delivered_; }   // in order
  bool is_held() const { return held_; }               // something could be delivered, and there was no room
  void hold() { held_ = true; }                        // until go_on()
  void stop_holding() { held_ = false; }
  void go_on(Seq stable, Output& out);                 // there is room again

  // The end of the configuration (the members of `going_on` have shown each other all that they hold of it). `delivered_by_one`: the most that
  // any of them had delivered in order. Delivers in the old configuration, then the transitional one, then in that.
  void begin_finish(Seq delivered_by_one, const Hosts& going_on, const RingId& next, const Hosts& obligations);
  bool finish(Output& out);  // true: it is finished. Else there was no room: once more, when there is

 private:
  struct Sender {
    Host host;
    Seq chain;                 // all that it stamped up to here is delivered
    std::vector<Seq> waiting;  // held, beyond the chain: FIFO that waits, UNORDERED that was delivered; and what found no room
  };
  // What finish() is at: the parts of its walk over the frames, in their order.
  enum class Part : uint8_t { unordered, in_order, chains, configuration, rest };
  struct Finish {
    Seq delivered_by_one;
    Hosts going_on, obligations;
    RingId next;
    Part part = Part::unordered;
    Seq at;  // the next frame of this part
    bool gap = false;
  };
  Sender* sender_of(HostId id);
  bool may(const Frame& frame);
  bool finish_unordered(Output& out);
  bool finish_in_order(Output& out);
  bool finish_chains(Output& out);
  bool finish_rest(Output& out);
  void begin_part(Part part);
  void hand_on(Frame& frame, Sender& sender, bool transitional, Output& out);
  void follow_chain(Sender& sender, Output& out);
  void pass_in_order(Frame& frame, Output& out);

  FrameStore& store_;
  Assembly& assembly_;
  Room& room_;
  RareCounts& rare_;
  RingId ring_;
  std::vector<Sender> senders_;  // by id
  size_t last_ = 0;              // who was looked for last
  Seq delivered_;
  bool held_ = false;
  std::optional<Finish> finish_;
};

}  // namespace evs::ordering
