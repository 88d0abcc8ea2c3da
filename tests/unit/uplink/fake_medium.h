// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/fake_medium.h - a datagram medium within one thread: it keeps order, loses what the test says and nothing else, and says "no room" when the
// test wants it to.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "bus/runtime/uplink/medium.h"

namespace evs::runtime::uplink {

class Air;

// One host's end of it; its index is its peers' name for it.
struct Station {
  Air* air = nullptr;
  uint32_t index = 0;
  struct Datagram {
    uint32_t from;
    std::vector<std::byte> bytes;
    uint32_t flags = 0;
  };
  std::deque<Datagram> inbox;
  std::vector<size_t> sent;         // sizes, in order
  size_t takes = SIZE_MAX;          // datagrams, and then there is no room
  size_t never_takes = SIZE_MAX;    // datagrams of so many bytes: for them there is never any
  std::set<uint32_t> marked;
  int32_t failure = EVS_P_OK;       // of each send and receive
  std::function<bool(uint32_t from, bool to_all, size_t size)> loses = [](uint32_t, bool, size_t) { return false; };  // of what is sent to it
};

class Air {
 public:
  // `tells`: what was sent to all is told from what was not.
  explicit Air(size_t largest_frame, bool tells = true) : largest_frame_(largest_frame), flags_(tells ? EVS_DATAGRAM_TO_ALL : 0) {}

  Medium add() {
    auto& station = stations_.emplace_back(std::make_unique<Station>());
    station->air = this;
    station->index = static_cast<uint32_t>(stations_.size() - 1);
    return {&ops(), reinterpret_cast<evs_transport*>(station.get()), &peers()};
  }
  Station& at(size_t index) { return *stations_[index]; }
  void shrink(size_t largest_frame) { largest_frame_ = largest_frame; }

 private:
  static Station& of(evs_transport* self) { return *reinterpret_cast<Station*>(self); }
  static int32_t send(evs_transport* self, const evs_datagram* frames, size_t count, size_t* taken) {
    Station& from = of(self);
    for (*taken = 0; *taken < count; ++*taken) {
      const evs_datagram& frame = frames[*taken];
      if (from.failure != EVS_P_OK) return from.failure;
      if (frame.size > from.air->largest_frame_) return EVS_P_TOO_BIG;
      if (from.takes == 0 || frame.size >= from.never_takes) return EVS_P_AGAIN;
      if (from.takes != SIZE_MAX) --from.takes;
      from.sent.push_back(frame.size);
      const auto* at = static_cast<const std::byte*>(frame.data);
      const bool to_all = frame.peer == EVS_PEER_ALL;
      for (auto& to : from.air->stations_)
        if (to.get() != &from && (to_all || frame.peer == to->index) && !to->loses(from.index, to_all, frame.size))
          to->inbox.push_back({from.index, {at, at + frame.size}, to_all ? from.air->flags_ : 0});
    }
    return EVS_P_OK;
  }
  static int32_t receive(evs_transport* self, evs_datagram* frames, size_t count, size_t* got) {
    Station& station = of(self);
    if (station.failure != EVS_P_OK) return station.failure;
    for (*got = 0; *got < count && !station.inbox.empty(); ++*got) {
      const Station::Datagram& datagram = station.inbox.front();
      std::memcpy(frames[*got].data, datagram.bytes.data(), datagram.bytes.size());
      frames[*got].peer = datagram.from;
      frames[*got].flags = datagram.flags;
      frames[*got].size = datagram.bytes.size();
      station.inbox.pop_front();
    }
    return *got == 0 ? EVS_P_AGAIN : EVS_P_OK;
  }
  static const evs_datagram_ops& ops() {
    static const evs_datagram_ops table = {sizeof table, 0, [](evs_transport* self) { return of(self).air->largest_frame_; }, send, receive,
                                           [](evs_transport*, uint32_t peer, char* text, size_t room) { return static_cast<size_t>(snprintf(text, room, "station %u", peer)); },
                                           [](evs_transport*) { return int32_t{-1}; }};
    return table;
  }
  static const evs_peers_extension& peers() {
    static const evs_peers_extension table = {sizeof table, 0,
                                              [](evs_transport* self, uint32_t peer) {
                                                of(self).marked.insert(peer);
                                                return int32_t{EVS_P_OK};
                                              },
                                              [](evs_transport* self, uint32_t peer) { of(self).marked.erase(peer); }};
    return table;
  }

  size_t largest_frame_;
  const uint32_t flags_;
  std::vector<std::unique_ptr<Station>> stations_;
};

}  // namespace evs::runtime::uplink
