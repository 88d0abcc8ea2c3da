// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/problem.h - what went wrong while opening: a status for the program, a sentence for the person.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "evs/plugin.h"

namespace evs::udp {

struct Problem {
  int32_t status;
  std::string text;
  bool blind = false;  // this process could not look, for want of a descriptor say: nothing is known of the network
};
using Trouble = std::optional<Problem>;  // empty: all is well

inline Problem bad_parameter(std::string text) {
  return {EVS_P_BAD_PARAMETER, std::move(text)};
}

}  // namespace evs::udp
