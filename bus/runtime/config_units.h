// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_units.h - "100ms" and "64KiB": numbers that say what they count.
//
// A bare number in a configuration is a misunderstanding that waits: seconds or milliseconds, KB or KiB? So a duration
// and a size carry their unit, and only 0, which is the same in all of them, may stand alone. Whole numbers only:
// 1500ms says what 1.5s would, and nothing is ever rounded. Every refusal is a clause that can follow "key = value: ".
//
// Pure functions; parse(format(x)) == x for every x, which is what lets `evs config` print values that can be pasted
// back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bus/runtime/config_result.h"

namespace evs::runtime {

inline constexpr std::string_view kByteUnits = "B, KiB, MiB, GiB";
inline constexpr std::string_view kDurationUnits = "ns, us, ms, s, min, h";

Result<uint64_t> parse_bytes(std::string_view text);
Result<uint64_t> parse_duration(std::string_view text);  // nanoseconds
Result<uint64_t> parse_integer(std::string_view text);

// In the largest unit that holds the value exactly; 0 is "0".
std::string format_bytes(uint64_t bytes);
std::string format_duration(uint64_t nanoseconds);

}  // namespace evs::runtime
