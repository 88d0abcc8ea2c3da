// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/lookout.h - a host whose id another one has listens, and says nothing, until that one is silent.
//
// What it would say takes part in a ring under a name that is not its own. So it tries again by ear: all hosts say hello to all once a period (hello.h), and who is not heard for `quiet` is gone.
// Two that went at once must not come back at once, or they meet again: `quiet` is drawn.
#pragma once

#include <string>
#include <vector>

#include "bus/runtime/sealing/sealing.h"
#include "bus/runtime/uplink/medium.h"

namespace evs::runtime::uplink {

class Lookout {
 public:
  static constexpr ordering::Duration kQuiet = 5'000'000'000;  // and up to as much again

  // `at`: the other one's address, as far as it is known. `sealing` must outlive it.
  Lookout(const ordering::Host& self, sealing::Sealing& sealing, const Medium& medium, std::string at, ordering::Instant now)
      : self_(self), sealing_(sealing), medium_(medium), at_(std::move(at)), quiet_(kQuiet + self.nonce % kQuiet), heard_(now) {}

  // What came. True: the other one is silent, and this host may speak.
  bool turn(ordering::Instant now);
  ordering::Instant next() const { return heard_ + quiet_; }
  const std::string& at() const { return at_; }
  bool is_closed() const { return closed_; }  // the medium

 private:
  const ordering::Host self_;
  sealing::Sealing& sealing_;
  const Medium medium_;
  std::string at_;
  const ordering::Duration quiet_;
  ordering::Instant heard_;
  bool closed_ = false;
  std::vector<std::byte> room_;
};

}  // namespace evs::runtime::uplink
