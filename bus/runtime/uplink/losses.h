// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/losses.h - hosts that are lost, each said: whatever else is no more told one by one, who is missing is what people must know.
//
// One line for those that were lost together, and kMostLines a minute. Who is lost again within a minute of its line gets the next one when the minute is over, if it is missing still; whom there was
// no line for is named when there is one again. So nobody that is missing for more than a minute is missing in the log.
//
// Pure.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "bus/runtime/uplink/bouts.h"
#include "bus/runtime/uplink/words.h"

namespace evs::runtime::uplink {

class Losses {
 public:
  static constexpr size_t kMostLines = 6;
  static constexpr ordering::Duration kMinute = 60'000'000'000;

  // `why`: behind "is lost: ". Of these, in one ring.
  void lost(ordering::Instant now, const ordering::Hosts& hosts, const std::string& why, const Addresses& addresses, Lines& lines);
  // Each time that somebody looks; `members`: who is there.
  void sweep(ordering::Instant now, const ordering::Hosts& members, const Addresses& addresses, Lines& lines);

  // Of the last minute.
  size_t of_late() const { return moments_.size(); }
  // "host 3 was lost 4 times"; of the one that was lost most.
  std::string most() const;

 private:
  struct Lost {
    ordering::Instant told = ordering::kNever, at;
    bool owes = false;  // a line
    std::string why;
  };
  bool may_say(ordering::Instant now);
  void say(ordering::Instant now, const ordering::Hosts& hosts, const std::string& text, const Addresses& addresses, Lines& lines);

  std::map<ordering::HostId, Lost> lost_;
  std::deque<ordering::Instant> lines_;                                      // of the last minute
  std::deque<std::pair<ordering::Instant, ordering::HostId>> moments_;       // of the last minute
};

}  // namespace evs::runtime::uplink
