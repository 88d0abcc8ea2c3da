// SPDX-License-Identifier: BSD-3-Clause
// payload.h - messages whose reader can tell that it read all of each, all of them, and in order.
//
// A message is its number, its sender, and a pattern; the reader adds up every word. What the sum must be is a formula
// over the number of messages, so one wrong byte in a hundred million messages shows, and no reader can be fast by not
// reading. The same code runs over evs and over the bare log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace evs::bench {

inline constexpr uint32_t kSendersMax = 4;

// Adds up `bytes` of `data`, which is a multiple of eight; kept out of line so that both sides call the same code.
uint64_t sum_words(const void* data, size_t bytes);

class Payload {
 public:
  Payload(size_t bytes, uint32_t sender);

  const void* data() const { return words_.data(); }
  size_t bytes() const { return words_.size() * sizeof(uint64_t); }
  void number(uint64_t n) { words_[0] = n; }

  // What `count` messages numbered from 0 add up to.
  uint64_t expected_sum(uint64_t count) const;

 private:
  std::vector<uint64_t> words_;
};

// What a reader found.
struct Tally {
  uint64_t messages;
  uint64_t sum;
  uint64_t next[kSendersMax];
  uint64_t out_of_order;

  void take(const void* data, size_t bytes) {
    uint64_t head[2];
    memcpy(head, data, sizeof head);
    const uint64_t sender = head[1] % kSendersMax;
    out_of_order += head[0] != next[sender];
    next[sender] = head[0] + 1;
    sum += sum_words(data, bytes);
    ++messages;
  }
};

// Throws Malfunction when `found` is not exactly `sent[i]` messages of each sender, in each one's order.
void require_complete(const Tally& found, size_t bytes, const uint64_t* sent, uint32_t senders, const std::string& who);

}  // namespace evs::bench
