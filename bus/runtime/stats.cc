// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/stats.cc - see stats.h.
#include "bus/runtime/stats.h"

#include "bus/runtime/handle.h"

namespace evs::runtime {
namespace {

constexpr uint64_t kEveryNs = 200'000'000;  // the medium's own counts are told four times a second

constexpr uint32_t word_of(shm::Counter counter) { return static_cast<uint32_t>(counter); }
static_assert(word_of(shm::Counter::delivered_bytes) == word_of(shm::Counter::delivered) + shm::kGuarantees &&
                  word_of(shm::Counter::refused_full) == word_of(shm::Counter::delivered_bytes) + 1 &&
                  word_of(shm::Counter::refused_rejoining) == word_of(shm::Counter::refused_full) + static_cast<uint32_t>(TryAgain::rejoining),
              "the words stand as Stats::Words does");

}  // namespace

void Stats::attach(evs_transport* transport, const evs_stats_extension* words, const Config& config) {
  transport_ = transport;
  words_ = words;
  if (words_ != nullptr) sampling_ = shm::Sampling::when(config.text("metrics.histograms") == "on", config.integer("metrics.sample"));
}

void Stats::took(shm::Histogram what, uint64_t ns) const {
  words_->add(transport_, shm::first_word(what) + shm::bucket_of(ns), 1);
  words_->add(transport_, shm::first_word(what) + shm::kBuckets, ns);
}

void Stats::add(Words& words, const DeliveredCounts& of) {
  for (uint32_t g = 0; g < shm::kGuarantees; ++g) words[g] += of.messages[g].load(std::memory_order_relaxed);
  words[shm::kGuarantees] += of.bytes.load(std::memory_order_relaxed);
}

void Stats::keep(const DeliveredCounts& of) { add(kept_, of); }

void Stats::publish(const std::vector<Handle*>& handles, const presence::SendTotals& sent) {
  if (words_ == nullptr) return;
  Words now = kept_;
  for (const Handle* handle : handles) add(now, handle->delivered());
  for (uint32_t i = 0; i < kTryAgains; ++i) now[shm::kGuarantees + 1 + i] = sent.refused[i];
  for (uint32_t i = 0; i < kWords; ++i)  // of an expelled process it is added when it has joined again
    if (now[i] != told_[i] && words_->add(transport_, word_of(shm::Counter::delivered) + i, now[i] - told_[i]) == EVS_P_OK) told_[i] = now[i];
}

void Stats::publish_when_due(uint64_t now_ns, const std::vector<Handle*>& handles, const presence::SendTotals& sent) {
  if (now_ns < next_ns_) return;
  next_ns_ = now_ns + kEveryNs;
  publish(handles, sent);
}

}  // namespace evs::runtime
