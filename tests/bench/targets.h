// SPDX-License-Identifier: BSD-3-Clause
// targets.h - what evs promises itself to reach, all of it, in one table.
//
// Shared-memory figures of one machine swing by a factor of two to ten within minutes, so a target is a ratio to a bare
// probe taken in the same alternation wherever there is one; the rest are absolute. docs/performance.md explains each.
#pragma once

#include <cstddef>

namespace evs::bench {

enum class TargetId {
  round_trip_p50,
  round_trip_p99,
  rate_64,
  rate_1k,
  rate_64k,
  rate_2x2,
  send_cpu_16,
  wake_blocking,
  wake_blocking_quiet,
  wake_epoll,
  wake_epoll_quiet,
  system_calls,
  death_idle,
  death_busy,
  open_live,
  open_first,
  memory,
  metrics_rate,
  metrics_p50,
  udp_offload,
  udp_plain,
  count_
};

enum class Side { at_most, at_least };

struct Target {
  const char* id;
  const char* what;
  Side side;
  double bound;
  const char* unit;  // of the value and the bound; "x" is a ratio
};

inline constexpr Target kTargets[] = {
    {"round-trip-p50", "64 B ping-pong, busy: p50 / (1.6 x cache line + 60 ns)", Side::at_most, 1.0, "x"},
    {"round-trip-p99", "64 B ping-pong, busy: p99 / its own p50", Side::at_most, 3.0, "x"},
    {"rate-64", "64 B, 1 sender, 1 reader: messages/s, of the bare log's", Side::at_least, 0.65, "x"},
    {"rate-1k", "1 KiB, 1 sender, 1 reader: messages/s, of the bare log's", Side::at_least, 0.60, "x"},
    {"rate-64k", "64 KiB, 1 sender, 1 reader: bytes/s, of the bare log's", Side::at_least, 0.45, "x"},
    {"rate-2x2", "64 B, 2 senders, 2 readers: deliveries/s in sum, of 1 to 1", Side::at_least, 0.50, "x"},
    {"send-cpu-16", "sender's CPU a message: 16 readers / 1 reader", Side::at_most, 3.0, "x"},
    {"wake-blocking", "blocking dispatch round trip / futex, back to back", Side::at_most, 1.3, "x"},
    {"wake-blocking-quiet", "blocking dispatch round trip / futex, after 1 ms of quiet", Side::at_most, 1.3, "x"},
    {"wake-epoll", "evs_fd_get and epoll round trip / eventfd, back to back", Side::at_most, 1.3, "x"},
    {"wake-epoll-quiet", "evs_fd_get and epoll round trip / eventfd, after 1 ms of quiet", Side::at_most, 1.3, "x"},
    {"system-calls", "system calls a message while the reader keeps up", Side::at_most, 0.001, "calls"},
    {"death-idle", "death to configuration change, idle processors: p99", Side::at_most, 5.0, "ms"},
    {"death-busy", "death to configuration change, saturated processors: p99", Side::at_most, 25.0, "ms"},
    {"open-live", "evs_initialize to return of evs_join, a live bus: p50", Side::at_most, 5.0, "ms"},
    {"open-first", "evs_initialize to return of evs_join, the first member: p50", Side::at_most, 5.0, "ms"},
    {"memory", "private memory of a member", Side::at_most, 8.0, "MiB"},
    {"metrics-rate", "64 B, 1 sender, 1 reader: messages/s with histograms, of those without", Side::at_least, 0.98, "x"},
    {"metrics-p50", "64 B ping-pong, busy: p50 with histograms / without", Side::at_most, 1.05, "x"},
    {"udp-offload", "udp transport, 1400 B multicast, segmentation offload: bytes/s, of bare sockets'", Side::at_least, 0.70, "x"},
    {"udp-plain", "the same without offload, 40 datagrams a system call", Side::at_least, 0.85, "x"},
};
static_assert(sizeof kTargets / sizeof kTargets[0] == static_cast<size_t>(TargetId::count_), "a target lacks its row");

inline const Target& target(TargetId id) {
  return kTargets[static_cast<size_t>(id)];
}

}  // namespace evs::bench
