// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/snapshot.h - a link at one moment, as far as people are told of it: counters that only rise, and states.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bus/runtime/uplink/hearing.h"
#include "bus/runtime/uplink/outgoing.h"
#include "bus/runtime/uplink/ring_watch.h"
#include "bus/runtime/uplink/words.h"

namespace evs::runtime::uplink {

// Of one host's packets, which its seal says are its own.
struct Complaints {
  uint64_t gave_us_up = 0;      // joins that name us failed
  uint64_t not_understood = 0;  // malformed
  bool any() const { return (gave_us_up | not_understood) != 0; }
};

struct Notice {
  bool bad = true;
  std::string text;
};

struct Snapshot {
  ordering::Host self;
  // The ring, or the last one.
  ordering::RingId ring;
  ordering::Hosts members;
  Addresses addresses;               // of hosts that are known, when a ring has been formed since the last look
  RingWatch::Counts rings;
  ordering::Instant ended_at = ordering::kNever;  // kNever: there is a ring
  ordering::Why ended_by = ordering::Why::started;
  ordering::Duration token_lost = 0;  // settings
  // Readers that are slow, and hosts.
  ordering::HostId held_by = ordering::kNoHost;
  bool is_held = false;             // by ours
  uint64_t stalled = 0;             // times that this host left because of it
  bool ran_out = false;             // of ring sequences
  uint64_t duplicates = 0;
  ordering::HostId duplicate = ordering::kNoHost;  // the last
  std::string duplicate_one, duplicate_other;      // where the two are; one is empty when it is this host
  uint64_t pauses = 0;
  ordering::Duration paused_for = 0;               // the last time
  // Who hears whom.
  std::vector<Verdict> faults;
  std::vector<ordering::HostId> heard;
  bool all_is_well = false, is_lonely = false;
  size_t packet_bytes = 0;          // of the largest datagram
  Outgoing::Counts sending;
  std::vector<std::pair<ordering::HostId, Complaints>> complaints;
  std::string failure;
  std::vector<Notice> notices;      // once each
  uint64_t refused = 0;             // packets, for what notices are of
};

}  // namespace evs::runtime::uplink
