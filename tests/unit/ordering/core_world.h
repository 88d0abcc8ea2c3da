// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/core_world.h - a ring and its frames, by hand, without a network: for stories about the pure parts.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bus/ordering/delivery.h"
#include "bus/ordering/send_queue.h"

namespace evs::ordering {

inline Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// One host's view of a ring of hosts 1 to 4.
struct RingView {
  static constexpr RingId kRing{10, 1, 7}, kNext{14, 1, 7};
  static constexpr uint32_t kOverhead = 100;
  static Host host(HostId id) { return {id, 7}; }

  FrameStore store{64};
  Assembly assembly{1 << 16};
  RareCounts rare;
  Room room{kOverhead};
  Deliverer deliverer{store, assembly, room, rare};
  Output out;

  RingView() { deliverer.begin(kRing, {host(1), host(2), host(3), host(4)}); }

  // A frame of one message, which names itself.
  void hold(uint64_t seq, HostId sender, Service service, uint64_t previous = 0) {
    Data data;
    data.ring = kRing;
    data.seq = Seq{seq};
    data.previous = Seq{previous};
    data.service = service;
    data.piece_count = 1;
    std::vector<std::byte> payload, packet;
    const std::string text = std::to_string(seq);
    wire::append_piece({.bytes = bytes_of(text)}, payload);
    data.payload = payload;
    ASSERT_TRUE(wire::encode(host(sender), data, packet));
    ASSERT_EQ(store.put(data, sender, packet), FrameStore::Put::fresh);
    deliverer.on_received(Seq{seq}, out);
  }

  bool finish(Seq delivered_by_one, const Hosts& going_on, const Hosts& obligations) {
    deliverer.begin_finish(delivered_by_one, going_on, kNext, obligations);
    return deliverer.finish(out);
  }

  // "1 2 T 4": what was delivered, and where the transitional configuration came.
  std::string told() {
    std::string line;
    for (const Effect& effect : out.effects) {
      if (effect.kind == Effect::Kind::deliver) line += (line.empty() ? "" : " ") + text_of(out.deliveries[effect.begin].bytes);
      if (effect.kind == Effect::Kind::configuration) line += line.empty() ? "T" : " T";
    }
    out.clear();
    return line;
  }
};

}  // namespace evs::ordering
