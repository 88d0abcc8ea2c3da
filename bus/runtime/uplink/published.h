// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/published.h - bytes in shared memory that one writer replaces and others read, whole.
//
// Two copies. The writer says which turn it is writing, fills that turn's copy, and says that it is there; readers copy the latest and then look
// whether the writer has begun the turn that reuses the copy:
//
//   SHOWN   latest: release in publish -> acquire in read. What a turn's copy holds is seen by who sees the turn.
//   REUSED  writing store, fence, words of the copy  <->  words of the copy, fence, writing load. Who has read a word of the turn after next
//           sees that turn begun, and reads again.
//
// A writer that is killed in the midst leaves `writing` ahead of `latest`: the copy that is shown is the other one, and the next writer goes on from `latest`.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace evs::runtime::uplink {

struct PublishedHead {
  std::atomic<uint64_t> writing, latest;  // turns: 0, nothing yet
  std::atomic<uint64_t> bytes[2];
};

class Published {
 public:
  Published() = default;
  // `room`: bytes of each copy, a multiple of 8; both lie behind the head.
  Published(PublishedHead* head, std::byte* copies, size_t room) : head_(head), copies_(copies), room_(room) {}

  bool publish(std::span<const std::byte> bytes) {
    if (bytes.size() > room_) return false;
    const uint64_t turn = head_->latest.load(std::memory_order_relaxed) + 1;
    head_->writing.store(turn, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // REUSED
    std::byte* to = copy(turn);
    for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
      std::atomic_ref(*reinterpret_cast<uint64_t*>(to + at)).store(word, std::memory_order_relaxed);
    }
    head_->bytes[turn & 1].store(bytes.size(), std::memory_order_relaxed);
    head_->latest.store(turn, std::memory_order_release);  // SHOWN
    return true;
  }

  uint64_t turn() const { return head_->latest.load(std::memory_order_acquire); }

  // The latest; its turn, 0 when there was none yet.
  uint64_t read(std::vector<std::byte>& out) const {
    for (;;) {
      const uint64_t turn = head_->latest.load(std::memory_order_acquire);  // SHOWN
      if (turn == 0) return 0;
      const size_t bytes = std::min<size_t>(head_->bytes[turn & 1].load(std::memory_order_relaxed), room_);
      out.resize((bytes + 7) / 8 * 8);
      std::byte* from = copy(turn);
      for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
        const uint64_t word = std::atomic_ref(*reinterpret_cast<uint64_t*>(from + at)).load(std::memory_order_relaxed);
        std::memcpy(out.data() + at, &word, sizeof word);
      }
      out.resize(bytes);
      std::atomic_thread_fence(std::memory_order_seq_cst);  // REUSED
      if (head_->writing.load(std::memory_order_relaxed) <= turn + 1) return turn;
    }
  }

 private:
  std::byte* copy(uint64_t turn) const { return copies_ + (turn & 1) * room_; }

  PublishedHead* head_ = nullptr;
  std::byte* copies_ = nullptr;
  size_t room_ = 0;
};

}  // namespace evs::runtime::uplink
