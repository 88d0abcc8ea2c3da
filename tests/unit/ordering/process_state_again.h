// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/process_state_again.h - what the reader of a stored state makes of any bytes, and whether the writer says the same again.
//
// For the tests and for the fuzzer: a state has one form, and what is refused leaves nothing behind.
#pragma once

#include <algorithm>
#include <vector>

#include "bus/ordering/process_state.h"
#include "tests/support/again.h"

namespace evs::ordering::stored {

inline constexpr HostId kHost = 7;  // whose states the samples are

inline std::vector<std::byte> bytes_of(const ProcessState& state) {
  std::vector<std::byte> out;
  encode(state, kHost, out);
  return out;
}

inline test::Again again(Bytes bytes) {
  const auto say = [](const ProcessState& state, std::vector<std::byte>& out) {
    out = bytes_of(state);
    return true;
  };
  return test::again_as<ProcessState>(
      bytes, [](Bytes some, ProcessState& state) { return decode(some, kHost, state); }, say,
      [](const ProcessState& a, const ProcessState& b) { return bytes_of(a) == bytes_of(b); });
}

}  // namespace evs::ordering::stored
