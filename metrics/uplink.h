// SPDX-License-Identifier: BSD-3-Clause
// metrics/uplink.h - the way to other hosts, as the gateway of this one tells of it: <bus>.uplink, lines of "evs_uplink_NAME VALUE", four times a second.
//
// Whoever wrote it may have been killed since, or hang: the reader judges that by its pid, when that process was started, and its age. Names that this version does not know are kept, so that a
// newer gateway can be looked at, too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace evs::metrics {

enum class GatewayState : uint8_t {
  none,    // nobody tells: there is no gateway, or it has no ring yet
  there,
  silent,  // its process is there and has not told for a second or more: it is stopped, or hangs
  gone,    // its process is not there any more; another one takes over, if there is one
};
std::string_view name_of(GatewayState state);

struct Uplink {
  GatewayState gateway = GatewayState::none;
  uint64_t age_ns = 0;  // of what it told last
  std::vector<std::pair<std::string, std::string>> values;  // as they were told, without evs_uplink_

  const std::string* value(std::string_view name) const;
  uint64_t number(std::string_view name) const;  // 0: not told, or no number
};

// Pure. What is no such line is left out, and so is what is told twice.
Uplink parse_uplink(std::string_view text);
// `now_ns`: the monotonic clock, which all processes of a host share.
void judge_uplink(Uplink& uplink, bool process_is_there, uint64_t now_ns);

// Is that process there, as far as may be seen from here?
bool process_is_there(uint64_t pid, uint64_t start_time);

// Of an open file, judged.
Uplink read_uplink(int fd);
// False: the file is there and cannot be read; `failure` is a sentence. None there: GatewayState::none.
bool read_uplink(const std::string& directory, const std::string& group, const std::string& bus, Uplink& out, std::string& failure);

}  // namespace evs::metrics
