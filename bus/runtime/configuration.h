// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/configuration.h - from memberships at their places to the configurations that a handle is told.
//
// Each membership change gives two: the transitional configuration (who is left of the old one) and the regular one
// (who is in the new). Lists are relative to the last one told, so a handle that was idle over several changes hears
// one pair, marked merged. An expelled process hears a lonely one first: itself, under the nodeid that it lost.
//
// A medium that spans hosts tells the transitional configuration by itself, with its odd number, because messages come between the two.
//
// Ids: representative = lowest nodeid of the configuration, sequence = ring sequence << 32 | change; changes are even,
// their transitional configuration is the odd number before. The lonely one is {old nodeid, last sequence + 1}.
//
// Pure. Not thread-safe: the handle's callback lock guards it.
#pragma once

#include <cstdint>
#include <vector>

#include "bus/runtime/membership.h"
#include "evs/evs.h"

namespace evs::runtime {

struct Configuration {
  int32_t kind = EVS_CONFIGURATION_REGULAR;
  uint32_t flags = 0;
  evs_ring_id id{};
  uint64_t epoch = 0;
  std::vector<evs_member_t> members, left, joined;
};

class ConfigurationTeller {
 public:
  // The regular configuration that the handle starts in: `self` has joined.
  void begin(const Membership& now, const evs_ordered_member& self, std::vector<Configuration>& out);
  // Nothing when `next` is no news.
  void advance(const Membership& next, std::vector<Configuration>& out);
  void expelled(const evs_ordered_member& old_self, std::vector<Configuration>& out);

  bool is_news(uint64_t ring_sequence, uint64_t change) const {
    return sequence(ring_sequence, change) > told_sequence_;
  }
  const evs_ring_id& current() const { return current_; }  // the last regular one told
  // Of a member of the last one told; 0 for anybody else.
  int32_t pid_of(uint32_t nodeid, uint64_t incarnation) const;
  void reset() { *this = ConfigurationTeller{}; }

 private:
  static uint64_t sequence(uint64_t ring_sequence, uint64_t change) {
    return ring_sequence << 32 | (change & 0xffffffffu);
  }

  Configuration transitional_to(const Membership& next, uint64_t number) const;

  std::vector<evs_ordered_member> members_;  // of the last one told, sorted by nodeid
  uint64_t told_sequence_ = 0;
  evs_ring_id current_{};
  bool lonely_ = false;
  bool in_transition_ = false;  // a transitional configuration was told by itself
};

}  // namespace evs::runtime
