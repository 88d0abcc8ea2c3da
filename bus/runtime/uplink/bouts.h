// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/bouts.h - what lasts is said when it begins, once a minute while it lasts, and when it is over; never more.
//
//     is so ----------- begins: "host 2 holds the ring up"
//     a minute later -- "still, for 1 minute: host 2 holds the ring up"
//     not so ---------- over: "host 2 holds the ring up no more"
//     so again within a minute: nothing is said until the next minute: "3 times in 1 minute: host 2 holds the ring up"
//
// A bout is of one kind and one host, and gets two lines a minute at most; kMostOfOneKind hosts of a kind are named at a time, and one line says that there are more.
// Pure: the caller says what is so at each moment, and hands `now` in.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "bus/ordering/ids.h"
#include "bus/include/evs/plugin.h"

namespace evs::runtime::uplink {

inline constexpr ordering::Duration kSecond = 1'000'000'000;

enum class Level : int { info = EVS_HOST_LOG_INFO, warning = EVS_HOST_LOG_WARNING, error = EVS_HOST_LOG_ERROR };

struct Line {
  Level level = Level::info;
  const char* kind = "";  // both for Log::say
  std::string text;
};
using Lines = std::vector<Line>;

// What may be so, of a host or of all.
struct Matter {
  const char* kind = "";
  unsigned number = 0;                       // tells matters apart
  Level level = Level::warning;
  ordering::Duration calm = 1'000'000'000;   // not so for that long: it is over
};

class Bouts {
 public:
  static constexpr ordering::Duration kAgain = 60'000'000'000;
  static constexpr size_t kMostOfOneKind = 8;

  // It is so now. `over` is what is said when it is so no more; empty: nothing.
  void is_so(ordering::Instant now, const Matter& matter, ordering::HostId host, const std::string& text, const std::string& over, Lines& lines);
  // Something else is said in its place: its end is not told.
  void forget(const Matter& matter, ordering::HostId host) { bouts_.erase({matter.number, host}); }
  // Once a round, behind all is_so().
  void sweep(ordering::Instant now, Lines& lines);
  bool any() const;  // something is so
  // What is so now, the gravest first, of `least` and above: as it was said last.
  std::vector<std::string> texts(Level least) const;

 private:
  struct Bout {
    Matter matter;
    ordering::Instant began, seen, told;
    std::string text, over;
    uint64_t times = 1;
    bool open = true, owes_end = true;
  };
  using Key = std::pair<unsigned, ordering::HostId>;
  void say(Bout& bout, ordering::Instant now, const std::string& text, Lines& lines);

  std::map<Key, Bout> bouts_;
};

}  // namespace evs::runtime::uplink
