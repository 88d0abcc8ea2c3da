// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/plan.h - what kind of world a run plays in: drawn from the seed, printed first.
#pragma once

#include <string>

#include "bus/ordering/primary.h"
#include "bus/ordering/settings.h"
#include "tests/support/dice.h"

namespace evs::sim {

using ordering::Duration;
using ordering::HostId;
using ordering::Instant;
using test::Dice;

inline constexpr Duration kMs = ordering::kMillisecond;

struct Plan {
  uint64_t seed = 0;
  uint32_t hosts = 3;
  double loss = 0, repeat = 0, straggle = 0;
  int picky_type = 0;           // packets of this type are lost more often; 0: none
  bool partitions = false, one_way = false, crashes = false, pauses = false, holes = false, large = false;
  uint32_t accelerated = 20;
  Duration delay_most = 200'000;
  Duration chaos = 0;
  uint64_t message_every = 20'000'000;  // ns between submissions, about
  // Drawn from a second sequence, so that the above stay what they were for a seed.
  bool twins = false;           // second machines with the id of one that runs
  HostId stranger = 0;          // has another key, to the end of the run
  bool forgetful = false;       // hosts come back without what they had stored
  bool jumps = false;           // clocks jump forward
  Duration slow = 0;            // what a packet costs a host
  uint32_t socket = 256;        // packets that wait for a host that is slow or paused; more are lost
  bool flush_fails = false;     // what waited during a pause cannot be thrown away
  bool ambushes = false;        // partitions at the moment in which a host enters a phase
  bool short_recovery = false;  // recoveries are given up early
  bool tight = false;           // small windows
  bool bursts = false;
  bool gateway_kills = false;   // and others take over
  bool slow_readers = false;    // what is delivered is not read for a while
  // Asked for.
  bool processes = false;       // several a host, and they are judged
  uint64_t change_every = 0;    // ns between changes of processes, about
  uint32_t changes_per_ring = 0;  // 0: as many as there are names for

  ordering::Quorum quorum;        // not off: hosts vote, and are judged beside their processes
  bool disks_lost = false;

  static Plan draw(uint64_t seed);
  static Plan calm(uint64_t seed, uint32_t hosts);
  void make_processes();
  void make_quorum();   // with processes
  void make_late();     // packets that outlive their ring are the rule: for the freeze rule
  void make_waylaid();  // failures within recoveries are the rule: for obligations

  uint32_t machines() const { return twins ? 2 * hosts : hosts; }
  ordering::Settings settings(HostId id) const;
  std::string text() const;
};

}  // namespace evs::sim
