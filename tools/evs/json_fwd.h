// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/json_fwd.h - the name alone, for headers: the library behind it takes a compiler seconds to read.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace evs::tools {

using Json = nlohmann::ordered_json;

}  // namespace evs::tools
