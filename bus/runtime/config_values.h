// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_values.h - one value against its row of the table.
//
// Three sources say values differently: TOML knows numbers from strings, the environment and evs_initialize_ex have
// strings alone. A Written keeps what the source knew, so that `name = 5` in a file can be told "in quotes" while
// EVS_LOG_RATE=5 is fine. Everything is judged here, once, whatever the source; refusals say what would be valid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bus/runtime/config_keys.h"
#include "bus/runtime/config_result.h"

namespace evs::runtime {

// A value as a source wrote it. A list holds its elements joined by commas; `other` is what no key takes (a date, a
// table in a list), with its name as text.
struct Written {
  enum class Kind : uint8_t { text, number, boolean, list, other };
  Kind kind = Kind::text;
  std::string text;
};

// What the bus works with: the canonical text, and the number of a size, duration (ns) or integer.
struct Value {
  std::string text;
  uint64_t number = 0;
};

// The failure completes "key = value: ".
Result<Value> check_value(const KeySpec& key, const Written& written);

// `written` as a person would recognise it: strings in quotes, control characters replaced, long ones cut.
std::string show(const Written& written);

// Any text from outside, fit for one line of an error message or log.
std::string printable(std::string_view text, size_t length_max = 200);

// True for a name a plugin may have: it becomes part of a file name.
bool is_plugin_name(std::string_view name);

}  // namespace evs::runtime
