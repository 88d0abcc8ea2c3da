// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/uplink_settings.h - what the configuration says of the uplink, and the sizes that follow from it.
#pragma once

#include <string>
#include <vector>

#include "bus/ordering/primary.h"
#include "bus/ordering/settings.h"
#include "bus/runtime/config.h"
#include "bus/runtime/plugin_host.h"
#include "bus/runtime/sealing/sealing.h"

namespace evs::runtime::uplink {

PluginSearch plugin_search(const Config& config);

// uplink.host_id, or one that is made from the machine's id.
PluginResult<ordering::HostId> host_id_of(const Config& config);

// With its groups and headers, of a message of `limit` bytes.
uint64_t largest_outbox_record(uint64_t limit);
uint64_t largest_order_record(uint64_t limit);

// frame_bytes stays to be set: the medium says it.
ordering::Settings ordering_settings(const Config& config, const ordering::Host& self);

// What the size of a frame decides, which stands in `settings`: how many a host sends in one visit of the token, and all hosts in one rotation; how many a ring keeps.
void fit_to_frames(ordering::Settings& settings);

// Where a host may keep what outlives the machine, the best first: uplink.state_directory, or the usual places.
std::vector<std::string> state_directories(const Config& config);
ordering::Quorum quorum_of(const Config& config);

// A number that no life of any host had.
PluginResult<uint64_t> draw_nonce();
uint64_t wall_clock_ns();
// Its key, or why there is none.
PluginResult<sealing::Settings> sealing_settings(const Config& config, const ordering::Host& self);

}  // namespace evs::runtime::uplink
