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

Network::Network(uint64_t seed, uint32_t hosts, uint32_t machines)
    : seed_(seed), hosts_(hosts), machines_(machines), cut_((machines + 1) * (machines + 1)), hole_(cut_.size()), keys_(machines + 1),
      sent_(cut_.size() * Faults::kTypes) {}

void Network::partition(uint64_t sides) {
  const auto side = [&](Machine machine) { return sides >> ((machine - 1) % 64) & 1; };
  for (Machine a = 1; a <= machines_; ++a)
    for (Machine b = 1; b <= machines_; ++b) set_cut(a, b, side(a) != side(b));
}

void Network::heal() {
  mend();
  std::fill(hole_.begin(), hole_.end(), 0);
  faults.loss = {};
  faults.repeat = 0;
  faults.straggle = 0;
}

void Network::carry(Instant now, Machine from, HostId to, Bytes packet) {
  for (Machine each = 1; each <= machines_; ++each) {
    const bool meant = to == 0 || each == to || each == to + hosts_;
    if (meant && each != from) carry_one(now, from, each, packet);
  }
}

void Network::carry_one(Instant now, Machine from, Machine to, Bytes packet) {
  const size_t type = std::min(static_cast<size_t>(packet[kTypeAt]), Faults::kTypes - 1);
  ++counts_.carried;
  const uint64_t ordinal = sent_[at(from, to) * Faults::kTypes + type]++;
  if (cut_[at(from, to)]) {
    ++counts_.cut;
    return;
  }
  if (hole_[at(from, to)] && packet.size() > faults.black_hole_bytes) {
    ++counts_.swallowed;
    return;
  }
  Dice dice(test::mix(seed_ ^ test::mix(at(from, to) * Faults::kTypes + type) ^ (ordinal << 32)));
  if (dice.chance(faults.loss[type])) {
    ++counts_.lost;
    return;
  }
  const int copies = dice.chance(faults.repeat) ? 2 : 1;
  counts_.repeated += static_cast<uint64_t>(copies - 1);
  for (int i = 0; i < copies; ++i) {
    const bool late = dice.chance(faults.straggle);
    counts_.late += late;
    const Duration delay = late ? dice.between(kLateLeast, kLateMost) : dice.between(faults.delay_least, faults.delay_most);
    Packet carried{now + delay, order_++, from, to, {packet.begin(), packet.end()}};
    if (const std::byte mask = keys_[from] ^ keys_[to]; mask != std::byte{0}) {
      for (std::byte& byte : carried.bytes) byte ^= mask;
      ++counts_.garbled;
    }
    queue_.push(std::move(carried));
  }
}

Packet Network::pop() {
  Packet packet = queue_.top();
  queue_.pop();
  return packet;
}

}  // namespace evs::sim
