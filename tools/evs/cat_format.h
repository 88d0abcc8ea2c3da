// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cat_format.h - what `evs cat` prints for each event. Pure; the time of receipt is an argument.
//
// One JSON object a line. Types: "message", "configuration", "group". A message has "text" when it is UTF-8 and
// "base64" otherwise, never both (evs-cat(1)).
#pragma once

#include <cstdint>
#include <string>

#include "evs/evs.h"

namespace evs::tools {

std::string message_json(const evs_message_t& message, uint64_t received_unix_ns);
std::string configuration_json(const evs_configuration_t& configuration, uint64_t received_unix_ns);
std::string group_json(const evs_group_change_t& change, uint64_t received_unix_ns);

// The same for people: one line without a newline.
std::string configuration_text(const evs_configuration_t& configuration);
std::string group_text(const evs_group_change_t& change);

const char* reason_name(int reason);

}  // namespace evs::tools
