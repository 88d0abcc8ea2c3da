// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/window.h - which of a sender's last packets were opened already.
//
// One bit a packet, the last kWindowPackets before the newest; older ones are refused unseen. As in RFC 6479 the bits stand in a ring of
// words and are never shifted: the window moves by clearing the words that it runs into.
//
// How wide: packets overtake each other by what is on the way at a time. That is a window of the ring (256 frames) and what repeats them, but packets travel
// in super-packets of up to 64 segments which are queued, lost and delivered as one, over several queues and paths. 64 of those fit, which is also
// as many frames as a host keeps of a ring (Settings::store_frames): what comes later than that nobody waits for any more. A packet that is refused
// here though it was honest is like one that was lost.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace evs::runtime::sealing {

inline constexpr uint64_t kSegments = 64;       // of one super-packet, at most (UDP_MAX_SEGMENTS)
inline constexpr uint64_t kWindowPackets = 64 * kSegments;

class ReplayWindow {
 public:
  // Neither opened before nor too old. Counters begin at 1.
  bool is_fresh(uint64_t counter) const {
    if (counter > newest_) return true;
    if (counter == 0 || newest_ - counter >= kWindowPackets) return false;
    return (words_[word_of(counter)] & bit_of(counter)) == 0;
  }

  // Only what is_fresh() let pass and what was found to be its sender's.
  void mark(uint64_t counter) {
    if (counter > newest_) {
      // All words behind newest_'s up to counter's hold what fell out of the window.
      const uint64_t steps = std::min<uint64_t>(counter / 64 - newest_ / 64, kWords);
      for (uint64_t i = 1; i <= steps; ++i) words_[(newest_ / 64 + i) % kWords] = 0;
      newest_ = counter;
    }
    words_[word_of(counter)] |= bit_of(counter);
  }

  uint64_t newest() const { return newest_; }

 private:
  static constexpr uint64_t kWords = kWindowPackets / 64 + 1;  // one more, so that the newest word holds nothing of the oldest
  static size_t word_of(uint64_t counter) { return static_cast<size_t>(counter / 64 % kWords); }
  static uint64_t bit_of(uint64_t counter) { return uint64_t{1} << (counter % 64); }

  uint64_t newest_ = 0;
  std::array<uint64_t, kWords> words_{};
};

}  // namespace evs::runtime::sealing
