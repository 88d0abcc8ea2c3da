// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/ordered_exchange.cc - see ordered_exchange.h.
#include "bus/ordering/ordered_exchange.h"

#include <algorithm>

#include "bus/ordering/host_set.h"
#include "bus/ordering/mutant.h"

namespace evs::ordering {
namespace {

using Brought = Exchange::Brought;

// After whose proposal is the highest; of two the lower host's.
RingId name_of(const std::vector<Brought>& brought) {
  const auto higher = [](const Brought& a, const Brought& b) { return a.state.proposal < b.state.proposal; };
  const Brought& highest = *std::max_element(brought.begin(), brought.end(), higher);
  const Host& host = planted(Mutant::ordered_named_after_lowest) ? brought.front().host : highest.host;
  return {highest.state.proposal, host.id, host.nonce};
}

}  // namespace

bool Exchange::add(const Host& host, const State& state) {
  if (!std::binary_search(members.begin(), members.end(), host.id)) return false;
  const auto at = std::lower_bound(brought.begin(), brought.end(), host.id, [](const Brought& b, HostId id) { return b.host.id < id; });
  if (at != brought.end() && at->host.id == host.id) return false;
  brought.insert(at, {host, state});
  return true;
}

Agreement agree(const Exchange& exchange, const RingId& ring, const Hosts& members, const std::vector<HostId>& together) {
  Agreement agreed;
  agreed.ring = name_of(exchange.brought);
  std::vector<Brought> with_us;
  bool others = false;
  for (const Brought& each : exchange.brought) {
    agreed.members.push_back(each.host);
    if (!contains(members, each.host)) continue;  // another life of a host that we knew is somebody else
    const bool companion = each.state.ring == ring && std::binary_search(together.begin(), together.end(), each.host.id);
    if (!companion && !planted(Mutant::ordered_companions_by_name)) {
      others = true;
      continue;
    }
    with_us.push_back(each);
    agreed.companions.push_back(each.host);
    agreed.delivered = std::max(agreed.delivered, each.state.delivered);
  }
  if (others && !planted(Mutant::ordered_no_step_between)) {
    agreed.between = name_of(with_us);
    --agreed.between->sequence;  // proposals of one host are two apart
  }
  return agreed;
}

}  // namespace evs::ordering
