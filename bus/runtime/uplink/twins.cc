// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/twins.cc - see twins.h.
#include "bus/runtime/uplink/twins.h"

#include <algorithm>

namespace evs::runtime::uplink {

using namespace ordering;

void Twins::tell(HostId id, const std::string& one, const std::string& other) {
  ++total_;
  id_ = id;
  one_ = one;
  other_ = other;
}

void Twins::changed(Instant now, const Host& before, const std::string& before_at, const Host& now_heard, const std::string& at) {
  if (now_heard.id == self_.id) return;  // own() has it
  if (pairs_.size() >= 2 * kMaxHosts && pairs_.count(now_heard.id) == 0) pairs_.clear();
  Pair& pair = pairs_[now_heard.id];
  const auto [low, high] = std::minmax(before.nonce, now_heard.nonce);
  if (pair.low != low || pair.high != high) pair = {low, high, now};
  else if (now - pair.since >= kOverlap) tell(now_heard.id, before_at, at);
}

void Twins::own(Instant now, uint64_t nonce, const std::string& at, bool surely) {
  if (own_.nonce != nonce || now - own_.last >= kSilent * period_) own_ = {nonce, now, now, false, now - began_ < kNewcomer * period_};
  own_.last = now;
  own_.is_proven |= surely || now - own_.first >= period_ / 2;
  if (own_.is_proven) tell(self_.id, {}, at);
}

bool Twins::must_go(Instant now) const {
  if (!own_.is_proven || now - own_.last >= kSilent * period_) return false;
  return sealed_ || own_.met_by_newcomer || (now - own_.first >= kPatience * period_ && own_.nonce > self_.nonce);
}

}  // namespace evs::runtime::uplink
