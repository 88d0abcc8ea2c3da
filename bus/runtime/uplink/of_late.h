// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/of_late.h - what episodes ask of moments and members.
#pragma once

#include <deque>

#include "bus/ordering/host_set.h"
#include "bus/ordering/settings.h"

namespace evs::runtime::uplink {

inline constexpr ordering::Duration kMinute = 60'000 * ordering::kMillisecond;

inline void keep_since(std::deque<ordering::Instant>& moments, ordering::Instant now, ordering::Duration time) {
  while (!moments.empty() && now - moments.front() > time) moments.pop_front();
}

inline bool is_in(const ordering::Hosts& members, ordering::HostId host) {
  return with_id(members, host) != nullptr;
}

}  // namespace evs::runtime::uplink
