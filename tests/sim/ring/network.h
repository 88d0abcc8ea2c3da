// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/network.h - a medium that loses, repeats, delays and reorders, one link and one direction at a time.
#pragma once

#include <array>
#include <cstddef>
#include <queue>
#include <vector>

#include "bus/ordering/packets.h"
#include "bus/ordering/settings.h"
#include "tests/sim/ring/prng.h"

namespace evs::sim {

using ordering::Bytes;
using ordering::Duration;
using ordering::HostId;
using ordering::Instant;

struct Faults {
  std::array<double, 7> loss{};  // by packet type
  double repeat = 0;
  double straggle = 0;  // comes when its ring is gone already
  Duration delay_least = 20'000, delay_most = 200'000;
  size_t black_hole_bytes = SIZE_MAX;  // larger packets vanish on links that have one
};

struct Packet {
  Instant at;
  uint64_t order = 0;
  HostId from = 0, to = 0;
  std::vector<std::byte> bytes;
  friend bool operator>(const Packet& a, const Packet& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
};

class Network {
 public:
  Network(uint32_t hosts, Prng& prng) : hosts_(hosts), prng_(prng), cut_((hosts + 1) * (hosts + 1)), hole_(cut_.size()) {}

  Faults faults;
  bool cut(HostId from, HostId to) const { return cut_[at(from, to)]; }
  void set_cut(HostId from, HostId to, bool is) { cut_[at(from, to)] = is; }
  void set_hole(HostId from, HostId to, bool is) { hole_[at(from, to)] = is; }
  void heal();

  void carry(Instant now, HostId from, HostId to, Bytes packet);  // to 0: everybody else
  Instant next() const { return queue_.empty() ? ordering::kNever : queue_.top().at; }
  Packet pop();

  struct Counts {
    uint64_t carried = 0, lost = 0, repeated = 0, late = 0, cut = 0, swallowed = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  size_t at(HostId from, HostId to) const { return from * (hosts_ + 1) + to; }
  void carry_one(Instant now, HostId from, HostId to, Bytes packet);

  uint32_t hosts_;
  Prng& prng_;
  std::vector<char> cut_, hole_;
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> queue_;
  uint64_t order_ = 0;
  Counts counts_;
};

}  // namespace evs::sim
