// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_delivery.h - which frame of an ordered medium is delivered when (docs/protocol.md, "Over an ordered medium").
//
//   UNORDERED  on reception
//   FIFO       on reception, once all of its sender before it is delivered: a SAFE of another sender does not hold it up
//   AGREED     in order
//   SAFE       in order, once every member has acknowledged it, or the medium has said that it is stable
//   a change   in order, once every member has acknowledged it, whatever the medium says
//
// There is never a gap, so everything that is received is delivered: in the configuration, or in the transitional one behind it. Acknowledgements come in
// the medium's order too, also our own; so what is delivered up to a place of the order is the same at all who read up to there, unless
// the medium tells stability, which it does at each host when it likes.
#pragma once

#include <deque>

#include "bus/ordering/assembly.h"
#include "bus/ordering/ordered_packets.h"

namespace evs::ordering {

class OrderedDelivery {
 public:
  OrderedDelivery(Assembly& assembly, bool medium_tells) : assembly_(assembly), medium_tells_(medium_tells) {}

  void begin(const RingId& ring, const Hosts& members);

  // The next frame in force. `position` is the medium's own count, for told_stable().
  void take(const OrderedFrame& frame, const Host& sender, uint64_t position, Bytes packet, Output& out);
  void acknowledged(HostId by, Seq up_to, Output& out);
  void told_stable(uint64_t position, Output& out);
  // The end of the configuration. `delivered_by_one`: the most that any of those who go on together had delivered in order.
  void finish(Seq delivered_by_one, const Hosts& going_on, const RingId& next, Output& out);
  void release_handed_on();  // what the last call delivered

  Seq received() const { return received_; }
  Seq delivered() const { return delivered_; }   // in order
  // What this host may acknowledge. Where the medium tells stability an acknowledgement is about changes alone, and says that all before is delivered.
  Seq acknowledgeable() const;
  Seq wanted() const { return wanted_; }         // the last place whose acknowledgement somebody waits for
  uint64_t changes() const { return changes_; }  // delivered
  uint64_t changes_read() const { return changes_read_; }
  bool change_waits() const { return changes_read_ != changes_; }
  size_t own_waiting(HostId self) const;

 private:
  struct Waiting {
    Frame frame;
    uint64_t position = 0;
    bool change = false;
  };
  struct Member {
    Host host;
    Seq acknowledged;
    uint32_t waiting = 0;  // its frames that are not delivered
  };
  Member& member(HostId id);
  bool by_all(Seq seq) const;
  bool may_pass(const Waiting& waiting) const;
  void hand_on(Waiting& waiting, bool transitional, Output& out);
  void follow(HostId sender, Output& out);
  void pop();
  void advance(Output& out);

  Assembly& assembly_;
  const bool medium_tells_;
  RingId ring_;
  std::vector<Member> members_;  // by id
  std::deque<Waiting> waiting_;  // not delivered in order; some early
  std::vector<Frame> handed_on_, spare_;
  Seq received_, delivered_, wanted_;
  uint64_t told_ = 0;
  uint64_t changes_ = 0, changes_read_ = 0;
};

}  // namespace evs::ordering
