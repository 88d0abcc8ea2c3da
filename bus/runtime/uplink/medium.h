// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/medium.h - a datagram transport as the link uses it: its tables and itself.
//
// The tables are called as they stand: that they do not throw is the plugin's duty (plugin_instance.h). All of it is for one thread, the service thread.
#pragma once

#include <algorithm>
#include <string>

#include "bus/include/evs/plugin.h"

namespace evs::runtime::uplink {

struct Medium {
  const evs_datagram_ops* ops = nullptr;
  evs_transport* self = nullptr;
  const evs_peers_extension* peers = nullptr;  // evs.peers/1; a medium with fixed peers has none

  size_t largest_frame() const { return ops->largest_frame(self); }
  int32_t send(const evs_datagram* frames, size_t count, size_t* taken) const { return ops->send(self, frames, count, taken); }
  int32_t receive(evs_datagram* frames, size_t count, size_t* got) const { return ops->receive(self, frames, count, got); }
  // In words; empty: it is known no more.
  std::string name_of(uint32_t peer) const {
    char text[128];
    return {text, std::min(ops->peer_name(self, peer, text, sizeof text), sizeof text)};
  }
  int fd() const { return ops->receive_fd(self); }
  // False: once more, when it is heard again.
  bool vouch_for(uint32_t peer) const { return peers == nullptr || peers->mark(self, peer) == EVS_P_OK; }
  void forget(uint32_t peer) const {
    if (peers != nullptr) peers->forget(self, peer);
  }
};

}  // namespace evs::runtime::uplink
