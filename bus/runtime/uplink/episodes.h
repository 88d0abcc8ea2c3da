// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/episodes.h - the uplink in words: who, what, why, and what to look at.
//
//     Link::look() -- Snapshot --> Episodes::note() -- lines --> the log
//
// Each is one line, and what lasts is one episode (bouts.h): it is said when it begins, once a minute, and when it is over. Rings that are formed and lost are said one by
// one; kMostRings in a minute, and then that they come and go, for as long as they do. Hosts that are lost are said always (losses.h). So whatever the network does, a minute has some tens of lines at worst.
//
// Pure: called each 100 ms or second with how things stand; no clock, no I/O. What was between two calls is in the snapshot's counters.
#pragma once

#include <deque>

#include "bus/runtime/uplink/bouts.h"
#include "bus/runtime/uplink/losses.h"
#include "bus/runtime/uplink/snapshot.h"

namespace evs::runtime::uplink {

class Episodes {
 public:
  static constexpr size_t kMostRings = 4;
  static constexpr ordering::Duration kFormingPatience = 5'000'000'000;  // without a ring, or with a host that is heard and not in it

  // `where` is what a firewall must let through, such as "udp port 5410".
  explicit Episodes(std::string where = "udp port 5410") : where_(std::move(where)) {}

  Lines note(ordering::Instant now, const Snapshot& seen);
  // What is wrong now, the gravest first: for who looks, and has not read the log.
  std::vector<std::string> problems(ordering::Instant now) const;

 private:
  // Something happened again: so often that it is no accident any more?
  class Often {
   public:
    bool rose(ordering::Instant now, uint64_t total);  // it did, and in five different seconds of the last thirty

   private:
    uint64_t last_ = 0;
    std::deque<ordering::Instant> seconds_;
  };

  void note_ring(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void tell_who_is_gone(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void tell_ring(const Snapshot& seen, Lines& lines) const;
  std::string why_ended(const Snapshot& seen) const;
  std::string why_lost(ordering::Instant now, const ordering::Hosts& lost, const Snapshot& seen) const;
  void note_forming(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void note_slow(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void note_hearing(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void note_hosts(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void note_refusals(ordering::Instant now, const Snapshot& seen, Lines& lines);
  void note_self(ordering::Instant now, const Snapshot& seen, Lines& lines);
  std::string sentence(const Verdict& verdict, const Snapshot& seen) const;

  const std::string where_;
  Bouts bouts_;
  Snapshot before_;
  Losses losses_;
  Addresses addresses_;
  std::deque<ordering::Instant> rings_, token_lost_alone_;  // of late
  std::map<ordering::HostId, Often> gave_us_up_, not_understood_;
  std::map<ordering::HostId, ordering::Instant> outside_;   // heard and not in the ring, since
  ordering::HostId last_holder_ = ordering::kNoHost;
  ordering::Instant last_held_, twins_until_;
  std::deque<std::string> refusals_;      // what was told of packets that are refused, the last ones
  ordering::Instant refused_at_;
  bool is_refusing_ = false;
  bool well_told_ = false, failed_ = false, ran_out_ = false;
};

}  // namespace evs::runtime::uplink
