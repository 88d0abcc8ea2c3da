// SPDX-License-Identifier: BSD-3-Clause
// bare_log.h - the yardstick for throughput: what a shared log costs when nothing may go wrong.
//
// Many writers claim with one fetch_add, write, and commit in the record itself; every reader sees every record in the
// same order and publishes a cursor that the writers may not pass. It is what evs's ring would be without processes
// that die, stop or read too slowly, without groups and without an API: a writer killed after its fetch_add stops it
// for ever. It is tuned as well as we know how, because a slow yardstick flatters:
//   - the buffer is mapped twice in a row, so no record is split and the writer has no special case at the end;
//   - writers look at the cursors only when the room they last saw is used up, and then wait without touching them
//   often;
//   - readers publish their cursor once every sixteenth of the ring, and read in place, with no copy;
//   - the caller pauses when there was nothing to read, so that it does not steal the lines that are being written.
//
// Two edges order it:
//   COMMIT  the commit word: release in append -> acquire in read.    The record is written before it is seen.
//   FREE    a cursor: release in read -> acquire in wait_for_room.    The record is read before it is overwritten.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/bench/clock.h"

namespace evs::bench {

class BareLog {
 public:
  static constexpr size_t kCapacity = 4u << 20;  // above a core's L2, below the shared L3
  static constexpr uint32_t kReadersMax = 16;

  // `record_bytes` and `payload_at`: a record's size and where its payload starts, both as in the ring compared with.
  BareLog(size_t record_bytes, size_t payload_at, size_t payload_bytes, uint32_t readers);
  ~BareLog();
  BareLog(const BareLog&) = delete;
  BareLog& operator=(const BareLog&) = delete;

  size_t record_bytes() const { return record_bytes_; }

  // One a sending process. `crowded`: there are more processes than processors, so waiting gives the processor away.
  class Writer {
   public:
    Writer(BareLog& log, bool crowded) : log_(log), crowded_(crowded) {}

    void append(const void* payload) {
      const size_t bytes = log_.record_bytes_;
      const uint64_t position = log_.control_->tail.fetch_add(bytes, std::memory_order_relaxed);
      if (position + bytes > limit_) wait_for_room(position + bytes);
      unsigned char* record = log_.data_ + position % kCapacity;
      reinterpret_cast<uint32_t*>(record)[2] = static_cast<uint32_t>(log_.payload_bytes_);
      memcpy(record + log_.payload_at_, payload, log_.payload_bytes_);
      commit_word(record)->store(log_.mark(position), std::memory_order_release);  // COMMIT
    }

   private:
    void wait_for_room(uint64_t end);
    BareLog& log_;
    bool crowded_;
    uint64_t limit_ = 0;
  };

  // One a reading process.
  class Reader {
   public:
    Reader(BareLog& log, uint32_t index) : log_(log), cursor_(log.control_->cursors[index].position) {}

    // Calls take(data, bytes) for all that waits; how many there were.
    template <typename Take>
    uint64_t read(Take&& take) {
      uint64_t found = 0;
      while (true) {
        const unsigned char* record = log_.data_ + position_ % kCapacity;
        if (commit_word(record)->load(std::memory_order_acquire) != log_.mark(position_)) break;  // COMMIT
        take(record + log_.payload_at_, static_cast<size_t>(reinterpret_cast<const uint32_t*>(record)[2]));
        position_ += log_.record_bytes_;
        ++found;
        if (position_ - published_ >= kCapacity / 16) publish();
      }
      return found;
    }

   private:
    void publish() {
      published_ = position_;
      cursor_.store(position_, std::memory_order_release);  // FREE
    }
    BareLog& log_;
    std::atomic<uint64_t>& cursor_;
    uint64_t position_ = 0;
    uint64_t published_ = 0;
  };

 private:
  struct alignas(128) Cursor {
    std::atomic<uint64_t> position;
  };
  struct Control {
    alignas(128) std::atomic<uint64_t> tail;
    Cursor cursors[kReadersMax];
  };

  static std::atomic<uint64_t>* commit_word(unsigned char* record) {
    return reinterpret_cast<std::atomic<uint64_t>*>(record);
  }
  static const std::atomic<uint64_t>* commit_word(const unsigned char* record) {
    return reinterpret_cast<const std::atomic<uint64_t>*>(record);
  }
  // Payload of an earlier lap must not pass for a commit.
  uint64_t mark(uint64_t position) const { return position ^ secret_; }

  size_t record_bytes_;
  size_t payload_at_;
  size_t payload_bytes_;
  uint32_t readers_;
  uint64_t secret_;
  Control* control_;
  unsigned char* data_;
};

}  // namespace evs::bench
