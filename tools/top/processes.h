// SPDX-License-Identifier: BSD-3-Clause
// tools/top/processes.h - the processes of a bus, one row each. With an uplink a process is a member twice, of the order ring and of the outbox; here it is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/top/frame.h"

namespace evs::top {

enum class Life : uint8_t { well, joining, expelled, hung, stopped, gone };  // from good to bad
std::string_view words_of(Life life);  // "live", "hung", "hung, stopped"

struct ProcessRow {
  int32_t pid = 0;
  std::string command;
  std::vector<uint32_t> nodeids;  // in the order ring
  uint64_t generation = 0;        // of its slot there: tells it from another process with its pid
  Life life = Life::well;
  uint64_t heartbeat_age_ns = 0;
  std::optional<uint64_t> stopped_for_ns;
  bool in_send = false;
  uint64_t sent_records = 0, sent_bytes = 0;  // with an uplink, what it gave to the gateway
  uint64_t delivered = 0, wakeups = 0;
  uint64_t behind_bytes = 0;  // its slowest handle
  size_t handles = 0, groups = 0;

  std::string key() const;  // for what is followed from frame to frame
};

std::vector<ProcessRow> processes_of(const Frame& frame);  // by pid; empty without details
Life life_of(const metrics::Member& member);
bool is_ill(Life life);  // it does not do what it should: hung, stopped, gone

}  // namespace evs::top
