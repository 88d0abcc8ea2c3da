// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/window_papers.h - what of a stored state changes rarely, as bytes: all but frames, beginnings, and what was told.
#pragma once

#include "bus/ordering/stored.h"

namespace evs::runtime::uplink::window {

void encode(const ordering::StoredState& state, std::vector<std::byte>& out);
// False: they are not such bytes, and `state` is not to be looked at.
bool decode(ordering::Bytes bytes, ordering::StoredState& state);

}  // namespace evs::runtime::uplink::window
