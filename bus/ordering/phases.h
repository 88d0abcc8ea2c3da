// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/phases.h - the phases of the protocol: what each knows dies with it.
//
//   gather       who is there, and will form a ring with us? Everybody says whom it would take and whom it gave up, until all say the same
//   commit       the representative sends round what each brings from its old ring
//   recovery     on the new ring, those who come from the same old ring show each other what they hold of it
//   operational  messages
//
// and apart: this host has left its ring, or goes on where a killed process of it was, and delivers what it owes before it begins anew.
//
// What outlives a phase - the ring that is installed, its frames, obligations, the send queue - is the Protocol's (protocol.h).
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "bus/ordering/barrier.h"
#include "bus/ordering/delivery.h"
#include "bus/ordering/rotation.h"

namespace evs::ordering {

struct Closed {};

struct Gather {
  Hosts consented;             // they said what we say
  std::vector<std::pair<Host, Hosts>> heard;  // who said what about the failed
  bool second_chance = false;  // all have consented, and no commit came
};

struct Committing {
  RingId ring;
  Hosts members;
};

struct Recovering {
  RingId ring;
  Hosts members;
  std::vector<CommitEntry> entries;
  Hosts going_on;              // come from the same old ring as we
  Hosts obligations;           // united, of those
  std::unique_ptr<FrameStore> store;
  std::unique_ptr<Rotation> rotation;
  std::unique_ptr<Barrier> barrier;
  std::vector<Seq> to_say;     // of the old ring, the last first
  bool began = false;          // the representative: the first token is out
  bool token_seen = false;
  bool flag_is_mine = false;
  bool received = false;       // and told
  uint32_t quiet_visits = 0;
  uint32_t whole_visits = 0;
  uint32_t visits = 0;
  Seq install_at;
};

struct Operating {
  std::unique_ptr<Rotation> rotation;
  std::unique_ptr<Barrier> barrier;
  std::optional<Token> held;   // it rests here, or stays while we speak alone
  Instant let_go_at = kNever;  // then it is passed on
  bool cancel_sent = false;
  Hosts opened;                // their openings were delivered, or the votes behind them (ProcessLevel)
  uint32_t exchange_visits = 0;
  HostId held_by = kNoHost;    // as the token says
  Instant held_since;
};

// Nobody is heard, and nobody counts on us. What ends, one ring after the other, ends as room allows (Protocol::ending_).
struct Apart {
  bool last = false;           // what ends is the last ring; then this host begins alone
  // A killed process's log has these of `told_ring`: not again.
  RingId told_ring;
  std::set<std::pair<Seq, uint32_t>> told;
  bool transitional_told = false;
  Seq told_in_order;
};

}  // namespace evs::ordering
