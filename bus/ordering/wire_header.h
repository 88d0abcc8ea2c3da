// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/wire_header.h - the 24 bytes that every packet begins with, and the 24 that those of a ring have behind them: for writers and readers.
#pragma once

#include "bus/ordering/byte_reader.h"
#include "bus/ordering/byte_writer.h"
#include "bus/ordering/form.h"
#include "bus/ordering/wire_layout.h"

namespace evs::ordering::wire {

struct Header {
  uint8_t type = 0;
  uint16_t flags = 0;
  Host sender;
};

inline void put_header(ByteWriter& to, uint8_t type, uint16_t flags, const Host& sender, size_t packet_bytes) {
  to.put(kMagic);
  to.put(kVersion);
  to.put(type);
  to.put(flags);
  to.put(sender.id);
  to.put(static_cast<uint32_t>(packet_bytes));
  to.put(sender.nonce);
}

// Bytes 24 to 47 of each packet that belongs to a ring; `own` is the packet's.
inline void put_ring(ByteWriter& to, const RingId& ring, uint32_t own) {
  to.put(ring.representative);
  to.put(own);
  to.put(ring.sequence);
  to.put(ring.nonce);
}

// `least` to `most` are the types that the reader knows; flags are its business. `packet` must be exactly one packet.
inline Malformed read_header(Bytes packet, uint8_t least, uint8_t most, Header& header) {
  if (packet.size() < kHeaderBytes) return Malformed::truncated;
  ByteReader in(packet);
  if (in.take<uint32_t>() != kMagic) return Malformed::magic;
  if (in.take<uint8_t>() != kVersion) return Malformed::version;
  const auto type = in.take<uint8_t>();
  if (type < least || type > most) return Malformed::type;
  const auto flags = in.take<uint16_t>();
  const auto id = in.take<uint32_t>();
  const size_t length = in.take<uint32_t>();
  const auto nonce = in.take<uint64_t>();
  if (length > packet.size()) return Malformed::truncated;
  if (length < packet.size() || length > kMaxPacketBytes) return Malformed::length;
  if (!is_host(id)) return Malformed::range;
  header = {.type = type, .flags = flags, .sender = {id, nonce}};
  return Malformed::none;
}

// Malformed unless the packet is exactly as long as its counts say.
inline Malformed compare(Bytes packet, size_t bytes) {
  if (packet.size() < bytes) return Malformed::truncated;
  return packet.size() > bytes ? Malformed::length : Malformed::none;
}

}  // namespace evs::ordering::wire
