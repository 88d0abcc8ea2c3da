// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_path.h - extended virtual synchrony over a medium that orders by itself: (now, event) -> effects.
//
// The medium (Corosync's CPG; a shared log) gives every message and every change of membership one place in one order. We rely on this:
//
//   - what is read in a membership is the beginning of that membership's order, without a gap;
//   - who goes on from one membership to the next together has read the same (virtual synchrony);
//   - what a member hands over it reads itself, once, and nobody reads it in another membership than it does, unless it dies;
//   - a membership says who left and who joined: who was away in between, if only for a moment, or died and came back, is among them;
//   - nothing of a host's former life is read behind the joining of the next one.
//
// The medium knows hosts by id. Which life of a host speaks, the header of each packet says: who comes to a membership says its first word in a state.
//
// Places are the order, so there is no token, no recovery and no barrier: a frame belongs to the configuration in force at its place, or, when its
// sender spoke in another one, to none, and is said again. docs/protocol.md, "Over an ordered medium", has the rules and why each is there.
#pragma once

#include <array>

#include "bus/ordering/ordered_delivery.h"
#include "bus/ordering/ordered_exchange.h"
#include "bus/ordering/send_queue.h"
#include "bus/ordering/settings.h"

namespace evs::ordering {

struct MediumMembership {  // lists are sorted
  std::vector<HostId> members, joined, left;
};

class OrderedPath {
 public:
  explicit OrderedPath(const Settings& settings);

  void start(Instant now, Output& out);  // alone, until the medium tells of a membership
  // Without ourselves among its members: we are in none.
  void on_membership(Instant now, const MediumMembership& membership, Output& out);
  // `position`: the medium's own count of what it ordered, for on_stable(); any where it tells no stability.
  void on_message(Instant now, HostId sender, uint64_t position, Bytes packet, Output& out);
  // All members of the membership in which we read have, or will read before any change of it, what stands up to `position`, read by us or not yet.
  void on_stable(Instant now, uint64_t position, Output& out);
  void on_deadline(Instant now, Output& out);  // calling early is harmless
  Instant next_deadline() const { return acknowledge_at_; }
  // A change: behind it another configuration of processes is in force. It is AGREED, and delivered when all hosts have acknowledged it; what others
  // said before they had delivered it is not in force behind it, and they say it again.
  Submitted submit(Instant now, Service service, Bytes message, uint64_t& number, Output& out) { return submit(now, service, message, false, number, out); }
  Submitted submit_change(Instant now, Bytes message, uint64_t& number, Output& out) { return submit(now, Service::agreed, message, true, number, out); }

  // ---- For status, metrics, tests. ----
  const RingId& ring() const { return ring_; }
  const Hosts& members() const { return members_; }
  bool is_operational() const { return !exchange_; }
  bool ran_out_of_sequences() const { return ran_out_; }  // it cannot propose another ring: it says nothing more, and has to leave the medium
  uint64_t dropped(Drop why) const { return drops_[static_cast<size_t>(why)]; }

 private:
  struct UnderWay {  // a frame of ours that has not come back
    uint64_t number = 0;
    bool change = false;
    bool void_ = false;  // a change came before it
    std::vector<SendQueue::Completed> completed;
  };

  Submitted submit(Instant now, Service service, Bytes message, bool change, uint64_t& number, Output& out);
  void begin_event();
  void end_event(Instant now, Output& out);
  void ignore(Drop why) { ++drops_[static_cast<size_t>(why)]; }
  template <class Packet>
  void send(const Packet& packet, Output& out);
  void store(Output& out);

  void close_ring();
  void send_state(Output& out);
  void on_state(const Host& sender, const State& state, Output& out);
  void install(Output& out);
  void enter(const RingId& ring, const Hosts& members, Output& out);

  void on_frame(const Host& sender, uint64_t position, const OrderedFrame& frame, Bytes packet, Output& out);
  bool in_force(const Host& sender, const RingId& ring);
  void own_came_back(const OrderedFrame& frame, bool counts, Output& out);
  void say_again_behind_change();
  bool may_send() const;
  void send_frame(Output& out);

  const Settings settings_;
  bool ran_out_ = false;
  uint64_t sequence_ = 0;  // the highest that was installed or proposed; stored

  RingId ring_;
  Hosts members_;
  Assembly assembly_;
  OrderedDelivery delivery_;
  std::vector<HostId> together_;      // with us in each membership since the ring was installed, sorted
  std::optional<Exchange> exchange_;  // the medium's membership is no more the ring's
  bool state_under_way_ = false;
  uint64_t told_stable_ = 0;          // by the medium

  SendQueue queue_;
  uint64_t next_message_ = 1;
  uint64_t next_frame_ = 1;           // in this ring
  std::deque<UnderWay> under_way_;
  Seq said_;                          // what we acknowledged
  Instant acknowledge_at_ = kNever;

  std::vector<std::byte> payload_;
  OrderedFrame frame_;                // decoded into again and again
  std::array<uint64_t, static_cast<size_t>(Drop::count_)> drops_{};
};

}  // namespace evs::ordering
