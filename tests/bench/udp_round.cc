// SPDX-License-Identifier: BSD-3-Clause
// udp_round.cc - the round's two loops, and what they tell each other in shared memory.
#include "tests/bench/udp_round.h"

#include <sched.h>

#include <atomic>
#include <cstring>
#include <string>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"

namespace evs::bench {

struct UdpTable {
  StartLine start;
  int milliseconds;
  alignas(64) std::atomic<uint64_t> received;
  alignas(64) std::atomic<uint64_t> last;  // how many there were in all; 0: not over
  std::atomic<uint64_t> begun_ns, ended_ns;
};

void UdpSendLoop::ready() {
  table_.start.wait_for(2);
  const uint64_t now = monotonic_ns();
  table_.begun_ns = now;
  end_ns_ = now + static_cast<uint64_t>(table_.milliseconds) * 1'000'000u;
}

unsigned char* UdpSendLoop::next() {
  while (sent_ + kUdpBatch > table_.received.load(std::memory_order_acquire) + kUdpWindow) sched_yield();
  if (monotonic_ns() >= end_ns_) {
    table_.last = sent_;
    return nullptr;
  }
  for (size_t i = 0; i < kUdpBatch; ++i, ++sent_) std::memcpy(frames_ + i * kUdpFrameBytes, &sent_, sizeof(sent_));
  return frames_;
}

void UdpReceiveLoop::ready() {
  table_.start.wait_for(2);
}

bool UdpReceiveLoop::complete() const {
  const uint64_t last = table_.last.load(std::memory_order_acquire);
  return last != 0 && received_ == last;
}

void UdpReceiveLoop::take(const void* frame, size_t bytes) {
  uint64_t number = 0;
  std::memcpy(&number, frame, sizeof(number));
  if (bytes != kUdpFrameBytes || number != received_)
    throw Malfunction("frame " + std::to_string(received_) + " came as number " + std::to_string(number) + ", " + std::to_string(bytes) +
                      " bytes");
  ++received_;
}

void UdpReceiveLoop::published() {
  table_.received.store(received_, std::memory_order_release);
  table_.ended_ns = monotonic_ns();
}

double run_udp_round(const test::Wire& wire, int milliseconds, const std::function<void(UdpSendLoop&)>& send,
                     const std::function<void(UdpReceiveLoop&)>& receive) {
  Shared<UdpTable> table;
  table->milliseconds = milliseconds;
  Crew crew;
  crew.start("udp receiver", cores().first, [&] {
    wire.inside(1, [&] {
      UdpReceiveLoop loop(*table);
      receive(loop);
    });
  });
  crew.start("udp sender", cores().second, [&] {
    wire.inside(0, [&] {
      UdpSendLoop loop(*table);
      send(loop);
    });
  });
  crew.finish();
  const double seconds = static_cast<double>(table->ended_ns - table->begun_ns) / 1e9;
  return static_cast<double>(table->received) * kUdpFrameBytes / seconds;
}

}  // namespace evs::bench
