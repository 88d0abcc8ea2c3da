// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/guarantee.h - the four guarantees by name, as the command line takes them and JSON says them.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "evs/evs.h"

namespace evs::tools {

inline constexpr std::string_view kGuaranteeNames[] = {"unordered", "fifo", "agreed", "safe"};  // by evs_guarantee_t

// `name` is one of the four: the command line has seen to it.
inline evs_guarantee_t guarantee_of(std::string_view name) {
  return static_cast<evs_guarantee_t>(std::find(std::begin(kGuaranteeNames), std::end(kGuaranteeNames), name) -
                                      std::begin(kGuaranteeNames));
}

inline std::string_view guarantee_name(int guarantee) {
  return guarantee >= EVS_TYPE_UNORDERED && guarantee <= EVS_TYPE_SAFE ? kGuaranteeNames[guarantee] : "unknown";
}

}  // namespace evs::tools
