// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/barrier.cc - see barrier.h.
#include "bus/ordering/barrier.h"

#include <algorithm>

#include "bus/ordering/mutant.h"

namespace evs::ordering {

Barrier::May Barrier::begin_visit(Token& token) {
  if (planted(Mutant::no_barrier)) return {true, true, true};
  const Seq proved = planted(Mutant::barrier_on_one_visit) ? token.delivered_by_all : std::min(passed_on_, token.delivered_by_all);
  const bool fell = proved >= token.change && (exchanged_ || token.stage != Stage::exchange);
  switch (token.stage) {
    case Stage::open:
      return {false, true, true};
    case Stage::rest:
      if (token.stage_by != self_) return {false, false, true};
      token.stage = Stage::open;
      token.stage_by = kNoHost;
      return {false, true, true};
    case Stage::exchange:
    case Stage::joining:
    case Stage::closed:
      if (fell) {
        token.stage = Stage::rest;
        token.stage_by = self_;
        return {false, false, true};
      }
      if (token.stage == Stage::joining && token.stage_by == self_) {
        token.stage = Stage::closed;
        token.stage_by = kNoHost;
      }
      return {token.stage == Stage::exchange, token.stage == Stage::joining, false};
  }
  return {};
}

void Barrier::stamped_change(Token& token, Seq seq) {
  token.change = seq;
  if (token.stage != Stage::open) return;
  token.stage = Stage::joining;
  token.stage_by = self_;
}

void Barrier::stamped_opening(Token& token, Seq seq) {
  token.change = seq;
}

void Barrier::end_visit(Token& token, Seq delivered) {
  const Seq mine = token.stage == Stage::exchange && !exchanged_ ? Seq{} : delivered;
  if (mine < token.delivered_by_all || token.delayed_by == self_ || token.delayed_by == kNoHost) {
    token.delivered_by_all = std::min(mine, token.high);
    token.delayed_by = mine >= token.high ? kNoHost : self_;
  }
  watch(token);
  passed_on_ = token.delivered_by_all;
}

void Barrier::watch(const Token& token) {
  const bool same = stands(token.stage) && token.delayed_by != kNoHost && token.delayed_by == stuck_by_ && token.delivered_by_all == passed_on_;
  stuck_visits_ = same && token.held_by == kNoHost ? stuck_visits_ + 1 : 0;
  stuck_by_ = token.delayed_by;
}

}  // namespace evs::ordering
