// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/measured.h - how long things take on the ring of hosts, as a gateway sees it (evs.stats/1; shm/histogram.h).
//
// Of the gateway's own thread. Messages are sampled from when they are taken from the outbox; the stamp ties the number that a message was submitted under to its
// place, by which its delivery is known. A sample whose gateway dies is none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "bus/runtime/uplink/link.h"
#include "bus/runtime/uplink/local_records.h"
#include "bus/runtime/uplink/local_ring.h"
#include "shm/counters.h"

namespace evs::runtime::uplink {

class Measured {
 public:
  // `ring` must outlive it; one that keeps no words, and nothing is measured.
  Measured(LocalRing& ring, const Config& config);

  // After each turn.
  void look(const ordering::Protocol& protocol, const RingWatch::Counts& rings);

  void submitted(uint64_t number);
  void stamped(const ordering::Stamped& stamp);
  // Any message of this host that was appended to the order.
  void appended(uint64_t place, ordering::Service service);

 private:
  struct Flight {
    uint64_t number = 0, began_ns = 0;  // 0: none
    std::optional<uint64_t> place;
  };
  static constexpr size_t kFlights = 16;  // at a time; more are not sampled

  void took(shm::Histogram what, uint64_t ns) const;

  evs_transport* const ring_;
  const evs_stats_extension* const words_;
  shm::Sampling sampling_;
  uint64_t submitted_ = 0;
  size_t flying_ = 0;
  std::array<Flight, kFlights> flights_;
  uint64_t tokens_ = 0, formed_ = 0;
  ordering::Instant token_came_at_ = ordering::kNever;
};

}  // namespace evs::runtime::uplink
