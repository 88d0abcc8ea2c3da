// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/barrier.h - nothing is sent in a configuration of processes that some host of the ring has not installed.
//
// Processes join, leave and die by messages in the ring's order (process_level.h). Without a barrier a message could be stamped behind such a
// change and be delivered, SAFE, in the configuration that follows it, while a host that is cut off before it knew of the change delivers the
// same message in the one before: two histories. So whoever stamps a change stops stamping messages, and so do all others, until every
// host has *delivered* the change. The token carries how far that is.
//
// The line is moved like received_by_all, and like it proves nothing on one visit: a member behind us may lower it. Seen on two visits running, every
// member has had its chance. A change may join a barrier that stands, for one rotation; what comes later waits until the barrier fell
// and every host had a visit for its messages: neither changes nor messages starve.
//
// A ring begins with a barrier of its own, the exchange: every host stamps its list of processes first, its opening, and counts as having
// delivered nothing until it has delivered those of all. Where they make the ring try to become primary, each host's vote is stamped in the exchange, too.
#pragma once

#include "bus/ordering/packets.h"

namespace evs::ordering {

class Barrier {
 public:
  struct May {  // be stamped at this visit
    bool opening = false, changes = false, messages = false;
  };

  explicit Barrier(HostId self) : self_(self) {}

  static Stage first_stage(bool exchange) { return exchange ? Stage::exchange : Stage::open; }

  // At the beginning of a visit, before anything is stamped.
  May begin_visit(Token& token);
  // A change, or a piece of an opening, got its place at this visit.
  void stamped_change(Token& token, Seq seq);
  void stamped_opening(Token& token, Seq seq);
  // At the visit's end. `delivered`: in order; of a ring that is not installed yet, nothing.
  void end_visit(Token& token, Seq delivered);

  bool waits_for_exchange(const Token& token) const { return token.stage == Stage::exchange && !exchanged_; }
  void exchange_complete() { exchanged_ = true; }  // the openings of all are delivered
  // Who has kept a barrier that stands from falling, for so many visits without any progress; kNoHost: nobody.
  HostId stuck_at(uint32_t visits) const { return stuck_visits_ > visits ? stuck_by_ : kNoHost; }

 private:
  void watch(const Token& token);

  HostId self_;
  bool exchanged_ = false;
  Seq passed_on_;  // delivered_by_all, at our last visit
  HostId stuck_by_ = kNoHost;
  uint32_t stuck_visits_ = 0;
};

}  // namespace evs::ordering
