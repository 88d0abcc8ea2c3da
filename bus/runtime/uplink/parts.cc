// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/parts.cc - see parts.h.
#include "bus/runtime/uplink/parts.h"

namespace evs::runtime::uplink {

using namespace ordering;

// In order: a medium that turns parts around costs a repetition, and needs no book of which have come.
Bytes Joiner::add(const Host& sender, Bytes part) {
  const auto broken = [&]() -> Bytes {
    ++broken_;
    under_way_.erase(sender.id);
    return {};
  };
  if (part.size() <= kPartHeaderBytes) return broken();
  const auto id = load_little<uint32_t>(part.data() + 4), total = load_little<uint32_t>(part.data() + 12);
  const auto index = load_little<uint16_t>(part.data() + 8), count = load_little<uint16_t>(part.data() + 10);
  const Bytes piece = part.subspan(kPartHeaderBytes);
  if (count == 0 || count > kMostParts || index >= count || total > kMostJoined) return broken();
  Packet& packet = under_way_[sender.id];
  if (index == 0) {
    if (packet.next != packet.count) ++broken_;
    packet.sender = sender;
    packet.id = id;
    packet.next = 0;
    packet.count = count;
    packet.total = total;
    packet.bytes.clear();
  }
  if (packet.sender != sender || packet.id != id || packet.count != count || packet.total != total || packet.next != index) return broken();
  if (packet.bytes.size() + piece.size() > total) return broken();
  packet.bytes.insert(packet.bytes.end(), piece.begin(), piece.end());
  if (++packet.next != count) return {};
  return packet.bytes.size() == total ? Bytes(packet.bytes) : broken();
}

}  // namespace evs::runtime::uplink
