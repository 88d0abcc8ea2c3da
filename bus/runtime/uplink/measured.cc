// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/measured.cc - see measured.h.
#include "bus/runtime/uplink/measured.h"

#include <algorithm>

#include "shm/clock.h"

namespace evs::runtime::uplink {

using namespace ordering;

Measured::Measured(LocalRing& ring, const Config& config)
    : ring_(ring.self()), words_(ring.transport().extension<evs_stats_extension>(EVS_EXTENSION_STATS)),
      sampling_(shm::Sampling::when(words_ != nullptr && config.text("metrics.histograms") == "on", config.integer("metrics.sample"))) {}

void Measured::took(shm::Histogram what, uint64_t ns) const {
  words_->add(ring_, shm::first_word(what) + shm::bucket_of(ns), 1);
  words_->add(ring_, shm::first_word(what) + shm::kBuckets, ns);
}

// The protocol's times are those of its turns: of two tokens in one turn the second is not measured.
void Measured::look(const Protocol& protocol, const RingWatch::Counts& rings) {
  if (!sampling_.any()) return;
  const RingWork& work = protocol.ring_work();
  if (work.tokens != tokens_) {
    const Instant came = protocol.token_came_at();
    if (work.tokens == tokens_ + 1 && token_came_at_ != kNever && protocol.is_operational()) took(shm::Histogram::token_rotation, static_cast<uint64_t>(came - token_came_at_));
    tokens_ = work.tokens;
    token_came_at_ = came;
  }
  if (!protocol.is_operational()) token_came_at_ = kNever;  // between rings no token goes round
  if (rings.formed != formed_) took(shm::Histogram::ring_change, static_cast<uint64_t>(rings.took));
  formed_ = rings.formed;
}

void Measured::submitted(uint64_t number) {
  if (!sampling_.takes(submitted_++)) return;
  const auto free = std::find_if(flights_.begin(), flights_.end(), [](const Flight& flight) { return flight.began_ns == 0; });
  if (free == flights_.end()) return;
  *free = {number, shm::monotonic_ns(), std::nullopt};
  ++flying_;
}

void Measured::stamped(const Stamped& stamp) {
  if (flying_ == 0) return;
  for (Flight& flight : flights_)
    if (flight.began_ns != 0 && !flight.place && flight.number == stamp.message) flight.place = place_of(stamp.ring, stamp.seq, stamp.index);
}

void Measured::appended(uint64_t place, ordering::Service service) {
  if (flying_ == 0) return;
  for (Flight& flight : flights_) {
    if (flight.began_ns == 0 || flight.place != place) continue;
    took(shm::for_guarantee(shm::Histogram::ordering, static_cast<uint32_t>(service)), shm::monotonic_ns() - flight.began_ns);
    flight = {};
    --flying_;
  }
}

}  // namespace evs::runtime::uplink
