// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/network.h - a medium that loses, repeats, delays and reorders, one link and one direction at a time.
//
// It moves packets between machines; two of them may go by one host's id (twins). What befalls a packet follows from the seed, its link, its
// type and how many of these went before: so that a run from which an event is taken stays like itself for as long as it can.
#pragma once

#include <array>
#include <cstddef>
#include <queue>
#include <vector>

#include "bus/ordering/packets.h"
#include "tests/sim/ring/plan.h"

namespace evs::sim {

using ordering::Bytes;
using Machine = uint32_t;  // 1 to hosts: the host of that id; beyond: its twin

struct Faults {
  static constexpr size_t kTypes = 7;
  std::array<double, kTypes> loss{};  // by packet type
  double repeat = 0;
  double straggle = 0;  // comes when its ring is gone already
  Duration delay_least = 20'000, delay_most = 200'000;
  size_t black_hole_bytes = SIZE_MAX;  // larger packets vanish on links that have one
};

struct Packet {
  Instant at;
  uint64_t order = 0;
  Machine from = 0, to = 0;
  std::vector<std::byte> bytes;
  friend bool operator>(const Packet& a, const Packet& b) { return a.at != b.at ? a.at > b.at : a.order > b.order; }
};

class Network {
 public:
  Network(uint64_t seed, uint32_t hosts, uint32_t machines);

  Faults faults;
  void set_cut(Machine from, Machine to, bool is) { cut_[at(from, to)] = is; }
  void partition(uint64_t sides);  // a bit a machine
  void mend() { std::fill(cut_.begin(), cut_.end(), 0); }
  void set_hole(Machine from, Machine to, bool is) { hole_[at(from, to)] = is; }
  void set_key(Machine machine, std::byte key) { keys_[machine] = key; }  // who have different ones cannot read each other's packets
  void heal();  // but keys

  void carry(Instant now, Machine from, HostId to, Bytes packet);  // to 0: everybody else
  Instant next() const { return queue_.empty() ? ordering::kNever : queue_.top().at; }
  Packet pop();

  struct Counts {
    uint64_t carried = 0, lost = 0, repeated = 0, late = 0, cut = 0, swallowed = 0, garbled = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  size_t at(Machine from, Machine to) const { return from * (machines_ + 1) + to; }
  void carry_one(Instant now, Machine from, Machine to, Bytes packet);

  uint64_t seed_;
  uint32_t hosts_, machines_;
  std::vector<char> cut_, hole_;
  std::vector<std::byte> keys_;
  std::vector<uint32_t> sent_;  // by link and type
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> queue_;
  uint64_t order_ = 0;
  Counts counts_;
};

}  // namespace evs::sim
