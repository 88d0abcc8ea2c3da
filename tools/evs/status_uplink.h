// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_uplink.h - the way to other hosts, and a ring's use, as people and programs read them. Pure, as status_text.h is.
#pragma once

#include <string>
#include <vector>

#include "metrics/snapshot.h"
#include "tools/evs/json_fwd.h"
#include "tools/evs/text.h"

namespace evs::tools {

uint64_t percent(uint64_t part, uint64_t whole);
// "3 (pid 812, cat)": enough to find the process without another look at the table.
std::string who(const metrics::Member& member);
// How full it is, and who of these holds it.
std::string ring_line(const metrics::Ring& ring, const std::vector<metrics::Member>& members);
Json ring_json(const metrics::Ring& ring);

// What the gateway says is wrong, the gravest first.
std::vector<std::string> problems_of(const metrics::Uplink& uplink);
// "  problem  ..." for each thing that the gateway says is wrong.
std::string problem_lines(const metrics::Snapshot& snapshot, const Palette& paint);
// "  uplink   ..." and the lines that belong to it.
std::string uplink_lines(const metrics::Snapshot& snapshot, const Palette& paint);
Json uplink_json(const metrics::Snapshot& snapshot);  // null: none
Json outbox_json(const metrics::Snapshot& snapshot);  // null: none

}  // namespace evs::tools
