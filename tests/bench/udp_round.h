// SPDX-License-Identifier: BSD-3-Clause
// udp_round.h - one host multicasts to another as fast as both can, over a wire of network namespaces.
//
// Frames of an Ethernet's size, forty at a time, which is about what a host says while it holds the token. The sender is never more
// than kWindow frames ahead of what the receiver has read, far below its socket's buffer, so all arrive: each carries its number,
// and one that is missing is a malfunction. Bare sockets and the udp transport run the same round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "tests/support/netns.h"

namespace evs::bench {

inline constexpr size_t kUdpFrameBytes = 1400;
inline constexpr size_t kUdpBatch = 40;
inline constexpr uint64_t kUdpWindow = 480;

struct UdpTable;

// The next batch, numbered, or nullptr: it is over.
class UdpSendLoop {
 public:
  explicit UdpSendLoop(UdpTable& table) : table_(table) {}
  void ready();                 // all is set up; waits for the others
  unsigned char* next();        // kUdpBatch frames, one behind the other
 private:
  UdpTable& table_;
  uint64_t sent_ = 0;
  uint64_t end_ns_ = 0;
  alignas(64) unsigned char frames_[kUdpBatch * kUdpFrameBytes] = {};
};

class UdpReceiveLoop {
 public:
  explicit UdpReceiveLoop(UdpTable& table) : table_(table) {}
  void ready();
  bool complete() const;
  void take(const void* frame, size_t bytes);  // judges it
  void published();                            // after a batch: the sender may go on

 private:
  UdpTable& table_;
  uint64_t received_ = 0;
};

// Bytes a second at the receiver.
double run_udp_round(const test::Wire& wire, int milliseconds, const std::function<void(UdpSendLoop&)>& send,
                     const std::function<void(UdpReceiveLoop&)>& receive);

// Bare sockets; with UDP_SEGMENT and UDP_GRO, or forty datagrams a system call.
double probe_udp(const test::Wire& wire, int milliseconds, bool offload);

}  // namespace evs::bench
