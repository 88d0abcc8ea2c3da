// SPDX-License-Identifier: BSD-3-Clause
// shm/model/takeover.h - is everything there that the gateway's role keeps, and is its successor told the truth about the append under way?
//
// docs/shm-layout.md, "The role's pin". A writer and a gateway append records of one unit to a ring of three; they look for room word by word (tail, pin,
// claims) and remember what they found. The one who has the role opens it, reads, moves the pin, appends, and is killed anywhere; the next one opens it and settles.
#pragma once
#include <span>

#include "shm/model/checker.h"

namespace evs::shm::model {

enum class TakeoverFault : uint8_t { none, pin_uncounted, tail_not_reread, placing_unmarked, settled_by_tail, settled_unread };
struct TakeoverFaultText {
  TakeoverFault fault;
  std::string_view name;
  std::string_view what;
};
std::span<const TakeoverFaultText> takeover_faults();
Verdict explore_takeover(TakeoverFault fault);

}  // namespace evs::shm::model
