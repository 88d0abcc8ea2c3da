// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/host_set.h - sorted lists of hosts as sets. Small: some tens, rarely changed.
#pragma once

#include <algorithm>
#include <iterator>

#include "bus/ordering/ids.h"

namespace evs::ordering {

inline bool contains(const Hosts& set, const Host& host) { return std::binary_search(set.begin(), set.end(), host); }
inline bool add(Hosts& set, const Host& host) {
  const auto at = std::lower_bound(set.begin(), set.end(), host);
  if (at != set.end() && *at == host) return false;
  set.insert(at, host);
  return true;
}
inline bool add(Hosts& set, const Hosts& more) {
  bool grew = false;
  for (const Host& host : more) grew |= add(set, host);
  return grew;
}
inline bool subset(const Hosts& part, const Hosts& whole) { return std::includes(whole.begin(), whole.end(), part.begin(), part.end()); }
inline Hosts without(const Hosts& set, const Hosts& those) {
  Hosts rest;
  std::set_difference(set.begin(), set.end(), those.begin(), those.end(), std::back_inserter(rest));
  return rest;
}
inline const Host* with_id(const Hosts& set, HostId id) {
  const auto at = std::lower_bound(set.begin(), set.end(), Host{id, 0});
  return at != set.end() && at->id == id ? &*at : nullptr;
}

}  // namespace evs::ordering
