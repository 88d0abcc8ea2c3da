// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/twins.h - two hosts that go by one id: who they are, and whether it is this one that must go.
//
// A host is an id and the nonce of its present life, so another nonce is heard whenever a gateway follows another one; and whenever a machine was cloned, or configured twice
// with one number. They are told apart by what is heard later: a life that is over does not speak again.
//
//     of another host     the nonce heard before is heard again, kOverlap after the other one began to speak: both live
//     of ours             the ordering layer says so of a packet (it knows our past), or hellos of one nonce come for half a period
//
// Two that go by one id cannot be on one ring, and each that speaks on disturbs the others. So one goes: who hears the other within its own first periods, for the other was there
// before; of two that were there for long (a network that was cut is whole again) the one with the lower nonce, when the newer of the two has had its time to go. Where packets are sealed,
// nobody opens what an older life says when a newer one was heard (docs/security.md), the newer one itself included: the older one goes. The one that goes says nothing more, and
// listens (lookout.h).
//
// Pure.
#pragma once

#include <map>
#include <string>

#include "bus/ordering/ids.h"

namespace evs::runtime::uplink {

class Twins {
 public:
  static constexpr ordering::Duration kOverlap = 500'000'000;
  static constexpr uint32_t kNewcomer = 4;   // periods of hellos: who is there is heard by then, and this host is no newcomer any more
  static constexpr uint32_t kPatience = 5;   // periods that a newcomer has for going
  static constexpr uint32_t kSilent = 4;     // periods: it has gone

  Twins(const ordering::Host& self, ordering::Duration period, bool sealed) : self_(self), period_(period), sealed_(sealed) {}
  void begin(ordering::Instant now) { began_ = now; }

  // A packet of `now_heard`, where the packet of this id before was of `before`, another life; both with the addresses that they came from.
  void changed(ordering::Instant now, const ordering::Host& before, const std::string& before_at, const ordering::Host& now_heard, const std::string& at);
  // A packet in our name that is not ours. `surely`: of no former life of this host.
  void own(ordering::Instant now, uint64_t nonce, const std::string& at, bool surely);

  // Times that two were heard, and who they were the last time; `one` is empty when it is this host.
  uint64_t total() const { return total_; }
  ordering::HostId id() const { return id_; }
  const std::string& one() const { return one_; }
  const std::string& other() const { return other_; }

  bool must_go(ordering::Instant now) const;

 private:
  void tell(ordering::HostId id, const std::string& one, const std::string& other);

  struct Pair {
    uint64_t low = 0, high = 0;  // nonces
    ordering::Instant since;
  };
  const ordering::Host self_;
  const ordering::Duration period_;
  const bool sealed_;
  ordering::Instant began_;
  std::map<ordering::HostId, Pair> pairs_;  // of hosts whose life changed; as many as the link knows peers, at most
  struct Own {
    uint64_t nonce = 0;
    ordering::Instant first, last;
    bool is_proven = false, met_by_newcomer = false;
  } own_;
  uint64_t total_ = 0;
  ordering::HostId id_ = ordering::kNoHost;
  std::string one_, other_;
};

}  // namespace evs::runtime::uplink
