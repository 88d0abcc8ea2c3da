// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/json.h - the one way the tool writes JSON: keys in the order they were put, one document a line.
//
// The order is kept because people read it too. Text that is no UTF-8 cannot stand in JSON; where such bytes matter
// (messages) they are written as base64 under another key, elsewhere replaced by U+FFFD rather than thrown at.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/evs/json_fwd.h"

namespace evs::tools {

inline std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace evs::tools
