// SPDX-License-Identifier: BSD-3-Clause
// payload.cc - writing the pattern and judging what was read.
#include "tests/bench/payload.h"

#include "tests/bench/crew.h"

namespace evs::bench {

namespace {

constexpr uint64_t kPatternStep = 0x9e3779b97f4a7c15u;

}  // namespace

__attribute__((noinline)) uint64_t sum_words(const void* data, size_t bytes) {
  const unsigned char* at = static_cast<const unsigned char*>(data);
  uint64_t sum = 0;
  for (size_t i = 0; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
    uint64_t word = 0;
    memcpy(&word, at + i, sizeof word);
    sum += word;
  }
  return sum;
}

Payload::Payload(size_t bytes, uint32_t sender) : words_(bytes / sizeof(uint64_t)) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] = (i + 1 + sender) * kPatternStep;
  words_[0] = 0;
  words_[1] = sender;
}

uint64_t Payload::expected_sum(uint64_t count) const {
  const uint64_t each = sum_words(words_.data() + 1, bytes() - sizeof(uint64_t));
  const uint64_t numbers = count % 2 == 0 ? count / 2 * (count - 1) : (count - 1) / 2 * count;
  return count * each + numbers;
}

void require_complete(const Tally& found, size_t bytes, const uint64_t* sent, uint32_t senders,
                      const std::string& who) {
  uint64_t messages = 0;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < senders; ++i) {
    messages += sent[i];
    if (sent[i] > 0) sum += Payload(bytes, i).expected_sum(sent[i]);
    if (found.next[i] != sent[i]) {
      throw Malfunction(who + ": the last message of sender " + std::to_string(i) + " was number " +
                        std::to_string(found.next[i]) + ", but " + std::to_string(sent[i]) + " were sent");
    }
  }
  if (found.messages != messages) {
    throw Malfunction(who + ": " + std::to_string(found.messages) + " messages read of " + std::to_string(messages));
  }
  if (found.out_of_order != 0) throw Malfunction(who + ": " + std::to_string(found.out_of_order) + " out of order");
  if (found.sum != sum) throw Malfunction(who + ": the bytes read are not the bytes sent (checksums differ)");
}

}  // namespace evs::bench
