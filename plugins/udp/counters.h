// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/counters.h - what is counted, declared in one table; the values live where the host keeps them.
//
// One writer, the service thread; readers elsewhere take a value a moment old.
#pragma once

#include <cstddef>
#include <cstdint>

#include "evs/plugin.h"

namespace evs::udp {

enum class Count : uint8_t {
  sent_datagrams,
  sent_bytes,
  sent_batches,
  sent_segments,
  send_full,
  no_buffers,
  received_datagrams,
  received_bytes,
  received_batches,
  received_segments,
  kernel_drops,
  truncated,
  own,
  unknown_peer,
  unreachable,
  refused,
  denied,
  too_big,
  other_errors,
  strangers_pushed_out,
  reopened,
  count_
};

struct CountText {
  const char* name;
  const char* help;
};

inline constexpr CountText kCountText[] = {
    {"evs_udp_sent_datagrams_total", "Datagrams handed to the kernel; one sent to each of five peers is five."},
    {"evs_udp_sent_bytes_total", "Their bytes, without headers."},
    {"evs_udp_sent_batches_total", "System calls that took any of them."},
    {"evs_udp_sent_segments_total", "Those that went with others in one message (UDP_SEGMENT)."},
    {"evs_udp_send_full_total", "Times the kernel had no room for what was to be sent."},
    {"evs_udp_no_buffers_total", "Of these, times the interface's queue was full, or memory short (ENOBUFS, ENOMEM); a socket that is full is what plugin.udp.send_buffer is for."},
    {"evs_udp_received_datagrams_total", "Datagrams that were handed on."},
    {"evs_udp_received_bytes_total", "Their bytes, without headers."},
    {"evs_udp_received_batches_total", "System calls that brought any of them."},
    {"evs_udp_received_segments_total", "Those that came with others in one message (UDP_GRO)."},
    {"evs_udp_kernel_drops_total", "Datagrams that arrived and found the receive buffer full."},
    {"evs_udp_truncated_total", "Datagrams larger than the room given for them; dropped."},
    {"evs_udp_own_datagrams_total", "Datagrams of our own that came back; dropped."},
    {"evs_udp_unknown_peer_total", "Datagrams to a peer that is known no more; dropped."},
    {"evs_udp_unreachable_total", "Sends that found no way: network or host unreachable, interface down or gone."},
    {"evs_udp_refused_total", "Reports that nobody listens at a peer's address and port."},
    {"evs_udp_denied_total", "Sends that this machine's own packet filter refused."},
    {"evs_udp_too_big_total", "Datagrams refused because they exceed what the path carries in one piece."},
    {"evs_udp_other_errors_total", "Sends and receives that failed otherwise."},
    {"evs_udp_strangers_pushed_out_total", "Unknown senders forgotten because others came."},
    {"evs_udp_reopened_total", "Times the sockets were opened anew because the interface or address changed."},
};
static_assert(sizeof(kCountText) / sizeof(kCountText[0]) == static_cast<size_t>(Count::count_), "every count has its text");

class Counters {
 public:
  explicit Counters(const evs_host* host) {
    for (size_t i = 0; i < static_cast<size_t>(Count::count_); ++i) {
      uint64_t* given = host->counter == nullptr ? nullptr : host->counter(host->context, kCountText[i].name, kCountText[i].help);
      value_[i] = given != nullptr ? given : &own_[i];  // the host may have no more room
    }
  }
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  void add(Count what, uint64_t n = 1) {
    uint64_t* value = value_[static_cast<size_t>(what)];
    __atomic_store_n(value, *value + n, __ATOMIC_RELAXED);
  }
  void set(Count what, uint64_t n) { __atomic_store_n(value_[static_cast<size_t>(what)], n, __ATOMIC_RELAXED); }

 private:
  uint64_t own_[static_cast<size_t>(Count::count_)] = {};
  uint64_t* value_[static_cast<size_t>(Count::count_)];
};

}  // namespace evs::udp
