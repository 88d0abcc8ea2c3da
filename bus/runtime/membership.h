// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/membership.h - a membership of ours: copied out of the transport's buffer, to be kept.
#pragma once

#include <cstdint>
#include <vector>

#include "evs/plugin.h"

namespace evs::runtime {

struct Membership {
  uint64_t change = 0;  // even
  uint64_t ring_sequence = 0;
  uint64_t position = 0;
  std::vector<evs_ordered_member> members;  // sorted by nodeid
  std::vector<evs_ordered_member> left;     // those of this change, with their reason
  uint64_t epoch = 0;                       // 0: it is not primary
};

inline Membership copy_of(const evs_membership& raw) {
  Membership copy{raw.change, raw.ring_sequence, raw.position, {}, {}, 0};
  copy.members.assign(raw.members, raw.members + raw.member_count);
  copy.left.assign(raw.left, raw.left + raw.left_count);
  if (EVS_HAS(&raw, evs_membership, epoch)) copy.epoch = raw.epoch;
  return copy;
}

}  // namespace evs::runtime
