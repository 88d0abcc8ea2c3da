// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/parts.h - packets that are larger than a frame of the medium go in parts: docs/wire-format.md, "Parts", draws them.
//
// What carries messages fits into frames. A commit or a join of many hosts may not, and the path may be narrower than the one that frames were made for. Such a
// packet is cut before it is sealed and put together after it was opened, so parts are of whoever sealed them. One packet a sender is under way: a part of another
// one begins anew, and a lost part loses the packet, which the ring repeats like any other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "bus/ordering/ids.h"
#include "bus/ordering/little_endian.h"
#include "bus/ordering/wire.h"

namespace evs::runtime::uplink {

inline constexpr uint32_t kPartMagic = 0x70737665;  // "evsp"
inline constexpr size_t kPartHeaderBytes = 16;
inline constexpr size_t kMostJoined = ordering::wire::kMaxPacketBytes;
inline constexpr uint16_t kMostParts = 512;

inline bool is_part(ordering::Bytes packet) {
  return packet.size() >= sizeof kPartMagic && ordering::load_little<uint32_t>(packet.data()) == kPartMagic;
}

// Calls each(part) for the parts of a packet, none of more than `most` bytes; `id` tells this packet's from the one before. False: it would take too many.
template <class Each>
bool cut(ordering::Bytes packet, size_t most, uint32_t id, std::vector<std::byte>& scratch, Each&& each) {
  if (most <= kPartHeaderBytes) return false;
  const size_t share = most - kPartHeaderBytes, count = (packet.size() + share - 1) / share;
  if (count > kMostParts || packet.size() > kMostJoined) return false;
  for (size_t i = 0; i < count; ++i) {
    const ordering::Bytes piece = packet.subspan(i * share, std::min(share, packet.size() - i * share));
    scratch.resize(kPartHeaderBytes);
    ordering::store_little(scratch.data(), kPartMagic);
    ordering::store_little(scratch.data() + 4, id);
    ordering::store_little(scratch.data() + 8, static_cast<uint16_t>(i));
    ordering::store_little(scratch.data() + 10, static_cast<uint16_t>(count));
    ordering::store_little(scratch.data() + 12, static_cast<uint32_t>(packet.size()));
    scratch.insert(scratch.end(), piece.begin(), piece.end());
    each(ordering::Bytes(scratch));
  }
  return true;
}

class Joiner {
 public:
  // The whole packet, with its last part, until the next call; before that, and when `part` does not fit to the others, nothing.
  ordering::Bytes add(const ordering::Host& sender, ordering::Bytes part);
  void forget(ordering::HostId host) { under_way_.erase(host); }
  uint64_t broken_total() const { return broken_; }

 private:
  struct Packet {
    ordering::Host sender;
    uint32_t id = 0;
    uint16_t next = 0, count = 0;
    size_t total = 0;
    std::vector<std::byte> bytes;
  };
  std::map<ordering::HostId, Packet> under_way_;
  uint64_t broken_ = 0;
};

}  // namespace evs::runtime::uplink
