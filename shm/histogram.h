// SPDX-License-Identifier: BSD-3-Clause
// shm/histogram.h - durations in the words of a counter block: how many of each length, and their sum.
//
// Log-linear: two buckets an octave, from 128 ns, below which the clock itself is what would be measured, to 17 s; one for all that is shorter, one for
// what is longer. A bucket's middle is within 20 % of what is in it, and 12 histograms of a process take 5.5 KiB, of which each bus reserves as many as
// processes may come. Edges are 2^k and 1.5 * 2^k ns, so that who shows fewer buckets adds up whole ones. How many there are in all is the sum of the buckets, and
// written nowhere else: no reader ever finds the two apart.
//
// Two relaxed additions a duration, in the block that one process writes: several of its threads may meet in one, and take samples only.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace evs::shm {

enum class Histogram : uint32_t {
  delivery,        // and three more: one a guarantee
  wake_up = delivery + 4,
  leave,
  callback,
  token_rotation,
  ring_change,
  ordering,        // and three more
  count_ = ordering + 4,
};
inline constexpr Histogram for_guarantee(Histogram first, uint32_t guarantee) { return static_cast<Histogram>(static_cast<uint32_t>(first) + guarantee % 4); }

inline constexpr uint32_t kFirstOctave = 7, kOctaves = 27;          // 2^7 ns to 2^34 ns
inline constexpr uint32_t kBuckets = 1 + 2 * kOctaves + 1;
inline constexpr uint32_t kHistogramWords = kBuckets + 1;           // their sum in ns behind them

constexpr uint32_t bucket_of(uint64_t ns) {
  const auto octave = static_cast<uint32_t>(std::bit_width(ns | 1)) - 1;
  if (octave < kFirstOctave) return 0;
  if (octave >= kFirstOctave + kOctaves) return kBuckets - 1;
  return 1 + 2 * (octave - kFirstOctave) + static_cast<uint32_t>(ns >> (octave - 1) & 1);
}
// What is in the bucket is shorter than this; of the last one UINT64_MAX.
constexpr uint64_t bucket_end_ns(uint32_t bucket) {
  if (bucket >= kBuckets - 1) return UINT64_MAX;
  const uint64_t begin = uint64_t{1} << (kFirstOctave + bucket / 2);
  return bucket % 2 == 0 ? begin : begin + begin / 2;
}

struct HistogramText {
  const char* name;
  const char* help;
};
// One metric, with a label for the guarantee.
inline constexpr const char* kDeliveryName = "evs_ring_delivery_seconds";
inline constexpr const char* kDeliveryHelp =
    "From when a sender had its place in the ring until a handle, of whichever process, took the message, of one in 2^metrics.sample messages that a thread sends. "
    "With an uplink, outbox is the way to the gateway and order the way from it; evs_ordering_seconds is what lies between.";
inline constexpr const char* kOrderingName = "evs_ordering_seconds";
inline constexpr const char* kOrderingHelp =
    "From when the gateway took a message of this host from the outbox until the ring of hosts had given it its place, as its guarantee asks, and it was appended to the "
    "order; of one in 2^metrics.sample messages.";
inline constexpr HistogramText kHistogramText[] = {
    {kDeliveryName, kDeliveryHelp},
    {kDeliveryName, kDeliveryHelp},
    {kDeliveryName, kDeliveryHelp},
    {kDeliveryName, kDeliveryHelp},
    {"evs_wake_up_seconds", "From when somebody rang for a handle that slept until the handle took what it was rung for. Every wake-up."},
    {"evs_member_leave_seconds", "From when a process proved another one's death until it had appended the membership without it. Every one."},
    {"evs_dispatch_callback_seconds", "How long the application's deliver callback took, of one in 2^metrics.sample messages of a handle."},
    {"evs_token_rotation_seconds", "Between two visits of the token of the ring of hosts; on an idle ring it rests, and that counts. Every one."},
    {"evs_ring_change_seconds", "How long there was no ring of hosts that works: from when this host left one until the next one's configuration. Every one."},
    {kOrderingName, kOrderingHelp},
    {kOrderingName, kOrderingHelp},
    {kOrderingName, kOrderingHelp},
    {kOrderingName, kOrderingHelp},
};
static_assert(std::size(kHistogramText) == static_cast<size_t>(Histogram::count_), "every histogram has its text");

// Which of many events are looked at: one in 2^k, the first among them, or none.
struct Sampling {
  uint64_t mask = 0, hit = 1;  // none

  static constexpr Sampling when(bool on, uint64_t power_of_two) { return on ? one_in(static_cast<uint32_t>(power_of_two)) : Sampling{}; }
  static constexpr Sampling one_in(uint32_t power_of_two) { return {(uint64_t{1} << power_of_two) - 1, 0}; }
  // `nth`: how many came before it.
  constexpr bool takes(uint64_t nth) const { return (nth & mask) == hit; }
  constexpr bool any() const { return hit == 0; }
};

}  // namespace evs::shm
