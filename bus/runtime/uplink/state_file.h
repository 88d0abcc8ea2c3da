// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/state_file.h - what goes around the bytes that a host keeps on its disk: whose they are, of which version, and that they are whole.
//
// docs/stored-state.md, "Files on a disk". Read back years later, perhaps behind a copy, a restored backup or a disk that lies: all or nothing of it is believed.
#pragma once

#include <string>
#include <vector>

#include "bus/ordering/packets.h"

namespace evs::runtime::uplink {

enum class StateKind : uint32_t { votes = 1, rings = 2 };

struct StateOwner {
  StateKind kind = StateKind::votes;
  ordering::HostId host = 0;
  std::string bus;
};

inline constexpr uint32_t kStateVersion = 1;
inline constexpr size_t kMostAroundState = 24 + 256 + 8;  // a bus has a name of a file, and that has at most 255 bytes

std::vector<std::byte> wrap(const StateOwner& owner, ordering::Bytes state);
// Empty, and `state` is what was wrapped, within `file`; or the part of a sentence that says why it is none of this owner's.
std::string unwrap(const StateOwner& owner, ordering::Bytes file, ordering::Bytes& state);

}  // namespace evs::runtime::uplink
