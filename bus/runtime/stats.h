// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/stats.h - what a bus counts and measures above its transport, on its way to where monitors look (evs.stats/1; shm/counters.h names the words).
//
// Counts are kept where they arise, one writer each: of sends in threads' records, of deliveries in handles. publish() adds up what has come to them since
// the last time, a few times a second, so that nothing of it is on the way of a message. A transport that keeps no such words loses nothing else.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "bus/runtime/presence.h"
#include "evs/plugin.h"
#include "shm/counters.h"

namespace evs::runtime {

class Config;
class Handle;

// What a handle has delivered. Written under its callback lock.
struct DeliveredCounts {
  std::atomic<uint64_t> messages[shm::kGuarantees] = {};
  std::atomic<uint64_t> bytes{0}, configurations{0};

  uint64_t all_messages() const {
    uint64_t sum = 0;
    for (const auto& count : messages) sum += count.load(std::memory_order_relaxed);
    return sum;
  }
  void clear() {
    for (auto& count : messages) count.store(0, std::memory_order_relaxed);
    bytes.store(0, std::memory_order_relaxed);
    configurations.store(0, std::memory_order_relaxed);
  }
};

class Stats {
 public:
  void attach(evs_transport* transport, const evs_stats_extension* words, const Config& config);
  const shm::Sampling& sampling() const { return sampling_; }

  // Inside a call, or on the service thread.
  void took(shm::Histogram what, uint64_t ns) const;

  // With the bus's handles_mutex_ held. A handle that goes leaves its counts here.
  void keep(const DeliveredCounts& of);
  void publish(const std::vector<Handle*>& handles, const presence::SendTotals& sent);
  void publish_when_due(uint64_t now_ns, const std::vector<Handle*>& handles, const presence::SendTotals& sent);

 private:
  static constexpr uint32_t kWords = shm::kGuarantees + 1 + kTryAgains;  // from Counter::delivered on
  using Words = std::array<uint64_t, kWords>;
  static void add(Words& words, const DeliveredCounts& of);

  evs_transport* transport_ = nullptr;
  const evs_stats_extension* words_ = nullptr;
  shm::Sampling sampling_;
  Words kept_{}, told_{};
  uint64_t next_ns_ = 0;
};

}  // namespace evs::runtime
