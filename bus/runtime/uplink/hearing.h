// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/hearing.h - who hears whom, and how: a test of the network that goes on as long as the link does.
//
// A ring that does not form because a switch lets no multicast through looks like hosts that are not there. So each host says to all, once a period, whom it hears
// (hello.h), and says it to those alone who do not say that they hear it. From what comes and what stands in it follows, for each host that anybody names:
//
//     its packets to us come, those to all do not        multicast is blocked on the way from it
//     all its small ones come, five large ones did not   the path carries less than the interface says (MTU)
//     nothing comes, and a third host hears it           the way from it is blocked, or it does not know of us
//     it is heard, and does not say that it hears us     the way to it is blocked, or it cannot open what we seal
//
// The rest is well. Each host judges its own ears, and the way to those who cannot know of us. Nobody is named before it has been so for some periods: who
// starts, stops or is busy is no fault of the network. Nobody names a host that is gone for longer than it counts it as heard, so kPatienceSilent goes beyond that.
//
// Two that never heard each other do not know each other's addresses, so neither can try what the way for packets to one carries: they are silent to each other.
//
// Pure. A datagram costs a store of the time; who was heard is known until forget(), who was only named for a few periods, and of these kMostNamed at the most.
#pragma once

#include <map>
#include <optional>

#include "bus/runtime/uplink/hello.h"

namespace evs::runtime::uplink {

enum class Fault : uint8_t { none, not_to_all, large_lost, silent, deaf };

struct Verdict {
  ordering::HostId host = ordering::kNoHost;
  Fault fault = Fault::none;
  ordering::HostId witness = ordering::kNoHost;  // silent: who hears it
};

class Hearing {
 public:
  static constexpr ordering::Duration kPeriod = 1'000'000'000;
  static constexpr uint32_t kFresh = 4;      // periods that what was heard counts for
  static constexpr uint32_t kFreshName = 2;  // periods that a third host's word counts for
  static constexpr uint32_t kPatience = 3;   // periods that something looks like a fault, until it is one
  static constexpr uint32_t kPatienceSilent = kFresh + kFreshName - 1;
  static constexpr uint32_t kLargeMissed = 5;
  static constexpr uint32_t kLargeRest = 10;  // periods from one large hello to the next, when all is well
  static constexpr size_t kMostNamed = 2 * ordering::kMaxHosts;

  explicit Hearing(ordering::HostId self, ordering::Duration period = kPeriod) : self_(self), period_(period) {}

  // What is known of one host. heard() is for each datagram of it.
  class Ear {
   public:
    void heard(ordering::Instant now, bool to_all) { (to_all ? to_all_ : to_one_) = now; }

   private:
    friend class Hearing;
    std::optional<ordering::Instant> to_all_, to_one_, named_, heard_us_, heard_us_to_all_, heard_us_large_, told_us_;
    uint64_t nonce_ = 0;
    ordering::HostId named_by_ = ordering::kNoHost;
    std::optional<uint32_t> large_heard_;  // the number of the last
    uint32_t large_missed_ = 0;
    bool large_came_ = false, kept_ = false;
    Fault fault_ = Fault::none;            // as it looks
    ordering::Instant since_;              // and has looked
  };
  // Of a host whose packet could be opened. It stays where it is until forget().
  Ear& of(ordering::HostId host) {
    Ear& ear = ears_[host];
    ear.kept_ = true;
    return ear;
  }
  void forget(ordering::HostId host) { ears_.erase(host); }
  void heard(ordering::Instant now, const ordering::Host& sender, const Hello& hello);

  void begin(ordering::Instant now);
  void end() { next_ = ordering::kNever; }  // nothing more is said
  ordering::Instant next() const { return next_; }
  // It is time. What is to be said to all, and whether to say it in a large one, too; judges.
  Hello say(ordering::Instant now, bool& large_too);
  // Whom it is to be said alone: who is heard, or named by one who hears it, and does not say that it hears what goes to all.
  std::vector<ordering::HostId> to_tell_alone(ordering::Instant now) const;

  std::vector<Verdict> faults(ordering::Instant now) const;
  // Those that are heard now, by whatever way; sorted.
  std::vector<ordering::HostId> heard_now(ordering::Instant now) const;
  // Somebody is heard; and whoever is hears us as we hear it, large frames and all.
  bool all_is_well(ordering::Instant now) const;
  // Nobody was heard since the beginning, which is kFresh + kPatienceSilent periods ago at least.
  bool is_lonely(ordering::Instant now) const;

 private:
  bool fresh(const std::optional<ordering::Instant>& at, ordering::Instant now, uint32_t periods = kFresh) const {
    return at && now - *at < period_ * periods;
  }
  bool is_heard(const Ear& ear, ordering::Instant now) const { return fresh(ear.to_all_, now) || fresh(ear.to_one_, now); }
  Fault looks(const Ear& ear, ordering::Instant now) const;
  void judge(ordering::Instant now);
  bool is_well(const Ear& ear, ordering::Instant now) const;

  const ordering::HostId self_;
  const ordering::Duration period_;
  std::map<ordering::HostId, Ear> ears_;
  ordering::Instant began_, next_ = ordering::kNever;
  uint32_t large_sent_ = 0, rested_ = 0;
  bool heard_any_ = false;
};

}  // namespace evs::runtime::uplink
