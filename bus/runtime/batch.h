// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/batch.h - frames that were copied out of the medium and wait for their callbacks.
//
// One read fills one batch. A callback may dispatch again: it continues with the same batch, and when that is used up the next
// read needs another one, because the outer callback's message still lies in the first (pinned). So a handle has
// one batch, and one more for each level of nesting it has seen.
//
// The buffer starts at 64 KiB, grows to what a large message needs, and shrinks when large ones have stayed away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "evs/plugin.h"

namespace evs::runtime {

inline constexpr size_t kBatchBytes = 64u << 10;    // the least that read() takes
inline constexpr uint32_t kBatchFrames = 128;       // a quarter of the first-level cache in small messages
inline constexpr uint32_t kSmallReadsToShrink = 64; // reads in a row that 64 KiB would have held

class Batch {
 public:
  Batch() : frames_(new evs_frame[kBatchFrames]) { resize(kBatchBytes); }

  bool drained() const { return next_ == count_; }
  bool reusable() const { return drained() && pins_ == 0; }
  const evs_frame& next() const { return frames_[next_]; }
  const evs_frame& take() { return frames_[next_++]; }
  void pin() { ++pins_; }
  void unpin() { --pins_; }

  // Before a read; the batch is reusable.
  void settle() {
    if (size_ == 0) resize(kBatchBytes);  // growing had found no memory
    if (!shrink_next_) return;
    shrink_next_ = false;
    small_reads_ = 0;
    resize(kBatchBytes);
  }
  void offer(evs_read& request) {
    request.frames = frames_.get();
    request.frame_room = kBatchFrames;
    request.buffer = buffer_.get();
    request.buffer_size = size_;
  }
  void filled(uint32_t count) {
    next_ = 0;
    count_ = count;
    if (size_ > kBatchBytes) shrink_when_idle();
  }
  void grow(size_t needed) {
    if (needed > size_) resize((needed + kBatchBytes - 1) / kBatchBytes * kBatchBytes);
    small_reads_ = 0;
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };

  void resize(size_t size) {
    buffer_.reset();
    size_ = 0;
    buffer_.reset(static_cast<std::byte*>(::operator new(size, std::align_val_t{64})));
    size_ = size;
  }
  void shrink_when_idle() {
    const evs_frame* last = count_ == 0 ? nullptr : &frames_[count_ - 1];
    const auto* end = last == nullptr ? buffer_.get() : static_cast<const std::byte*>(last->data) + last->size;
    small_reads_ = end <= buffer_.get() + kBatchBytes ? small_reads_ + 1 : 0;
    shrink_next_ = small_reads_ >= kSmallReadsToShrink;
  }

  std::unique_ptr<evs_frame[]> frames_;
  std::unique_ptr<std::byte, Free> buffer_;
  size_t size_ = 0;
  uint32_t next_ = 0, count_ = 0, pins_ = 0, small_reads_ = 0;
  bool shrink_next_ = false;
};

}  // namespace evs::runtime
