// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/network.cc - see network.h.
#include "tests/sim/ring/network.h"

#include <algorithm>
#include <utility>

namespace evs::sim {
namespace {

constexpr size_t kTypeAt = 5;  // docs/wire-format.md
constexpr Duration kLateLeast = 50 * ordering::kMillisecond, kLateMost = 300 * ordering::kMillisecond;

}  // namespace

void Network::heal() {
  std::fill(cut_.begin(), cut_.end(), 0);
  std::fill(hole_.begin(), hole_.end(), 0);
  faults.loss = {};
  faults.repeat = 0;
  faults.straggle = 0;
}

void Network::carry(Instant now, HostId from, HostId to, Bytes packet) {
  if (to != 0) return carry_one(now, from, to, packet);
  for (HostId each = 1; each <= hosts_; ++each)
    if (each != from) carry_one(now, from, each, packet);
}

void Network::carry_one(Instant now, HostId from, HostId to, Bytes packet) {
  const auto type = static_cast<size_t>(packet[kTypeAt]);
  ++counts_.carried;
  if (to > hosts_ || cut(from, to)) {
    ++counts_.cut;
    return;
  }
  if (hole_[at(from, to)] && packet.size() > faults.black_hole_bytes) {
    ++counts_.swallowed;
    return;
  }
  if (type < faults.loss.size() && prng_.chance(faults.loss[type])) {
    ++counts_.lost;
    return;
  }
  const int copies = prng_.chance(faults.repeat) ? 2 : 1;
  counts_.repeated += static_cast<uint64_t>(copies - 1);
  for (int i = 0; i < copies; ++i) {
    const bool late = prng_.chance(faults.straggle);
    counts_.late += late;
    const Duration delay = late ? prng_.between(kLateLeast, kLateMost) : prng_.between(faults.delay_least, faults.delay_most);
    queue_.push(Packet{now + delay, order_++, from, to, {packet.begin(), packet.end()}});
  }
}

Packet Network::pop() {
  Packet packet = queue_.top();
  queue_.pop();
  return packet;
}

}  // namespace evs::sim
