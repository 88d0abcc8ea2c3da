// SPDX-License-Identifier: BSD-3-Clause
// shm/claim.h - appending a record: room, intent, one CAS on the tail, write, commit, clear, ring who sleeps.
//
// docs/shm-layout.md A2 to A4 with what a crash after each line leaves behind. Any thread; no system call while nobody sleeps; may be called
// from a signal handler (a handler that interrupted a claim of its own thread is refused). The edges it relies on:
//
//   INTENT  the cell's store before the CAS on the tail (release) -> whoever reads the tail (acquire) and then the cells. Who sees
//           a tail behind p sees the cell that names p, or a commit word at p.
//   COMMIT  the commit word's store (release) -> the reader's load (acquire). The record is written before it is seen.
//   CLEAR   the cell's store after the commit (release) -> whoever finds the cell empty (acquire) finds the word committed.
//   LAP     the CAS on the tail, release fence, the record's bytes -> bytes, acquire fence, tail: who read bytes of the next lap sees the
//           tail that allowed them.
//   SLEEP   commit, load of the sleepers' bits; against: bits set, a barrier on every processor (barrier.h), load of the commit word.
//
// One locked operation a send, the CAS on the tail: a thread's cell is its own, so that its intent is a plain store (the CAS behind it makes it
// visible before the tail moves), and the fence that SLEEP needs is executed by who goes to sleep.
//
// The claim is a template in a header (claim_append.h): it takes the sender's own description of the frame, whatever struct
// that is, because at ten nanoseconds a message copying a struct of ten words is a fifth of the cost.
#pragma once

#include <sys/uio.h>

#include "shm/histogram.h"
#include "shm/room.h"
#include "shm/wake.h"

namespace evs::shm {

// What append() needs to know of a frame; evs/plugin.h's evs_append has the same members.
struct Record {
  uint32_t guarantee = 0;
  uint32_t group_count = 0;
  const void* groups = nullptr;
  const iovec* iov = nullptr;
  uint32_t iov_count = 0;
  size_t size = 0;  // the sum of the iovec
};

enum class Reserve { leave, use };  // only leaves and expulsions use it (B10)

enum class Pace { answer, stream };  // a hint: has this process sent before without hearing from others since?

using BeforeCommit = void (*)(void* context, uint64_t position);

// Asks for the lines that an answer would touch first, when it will probably begin at `position`: the tail and the record's second line (others poll
// the first). A plain load would fetch them shared, and the write after it would ask a second time.
inline void prefetch_to_write(const void* line) { asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(line))); }
inline void expect_to_append(const Segment& segment, uint64_t position) {
  prefetch_to_write(&segment.hot().tail);
  prefetch_to_write(segment.at(position + kUnit));
}

// initial-exec: the first use in a thread must not allocate, it may be in a signal handler.
struct ThreadClaim {
  uint32_t open;  // this thread is inside append()
  uint32_t cell;  // which cell is its own, in each ring, + 1; 0: it has not asked yet
};
extern __attribute__((tls_model("initial-exec"), visibility("hidden"))) thread_local constinit ThreadClaim t_claim;

// In the child of a fork(): its one thread goes by another number, and nothing keeps its cell from others.
void forget_thread_cell();

// The claims of one process.
class Writer {
 public:
  // `fence`: this process is not reached by barrier_everywhere().
  void bind(const Segment* segment, uint32_t slot, uint32_t generation, Room* room, Bells* bells, bool fence);
  void sample(const Sampling& sampling) { sampling_ = sampling; }  // before the first append

  // ok: `position` is where it stands. again: no room, or no free cell. nested: this thread is inside append() already.
  // too_big: no ring of this segment holds it. before_commit (may be null) runs between the claim and the commit.
  template <class Frame>
  Code append(Kind kind, const Frame& frame, uint64_t& position, Reserve reserve, Pace pace, BeforeCommit before_commit, void* context);

  uint64_t no_cell_total() const { return no_cell_.load(std::memory_order_relaxed); }

 private:
  template <class Frame>
  Code append_shortly(Kind kind, const Frame& frame, uint64_t& position, Pace pace);
  template <class Frame>
  Code append_open(Kind kind, const Frame& frame, uint64_t& position, Reserve reserve, Pace pace, BeforeCommit before_commit, void* context,
                   Cell* cell);
  template <class Frame>
  void complete(Kind kind, const Frame& frame, uint64_t& position, Cell* cell, uint64_t tail, uint64_t rest, BeforeCommit before_commit,
                void* context);
  unsigned char* at(uint64_t position) const { return ring_ + (position & unit_mask_); }
  void expect_writes(uint64_t tail, Pace pace) const;
  Cell* own_cell() const;
  Cell* take_cell(uint64_t intent);
  void ring(Kind kind, const void* groups, uint32_t group_count);

  const Segment* segment_ = nullptr;
  Room* room_ = nullptr;
  Bells* bells_ = nullptr;
  HotWords* hot_ = nullptr;
  Cell* cells_ = nullptr;
  unsigned char* ring_ = nullptr;  // the segment's, a step nearer
  uint64_t unit_mask_ = 0;
  uint64_t secret_ = 0;
  uint64_t capacity_ = 0;
  uint64_t largest_record_ = 0;
  uint32_t slot_ = 0;
  uint32_t generation_ = 0;
  uint32_t slot_word_count_ = 0;
  bool fence_ = true;
  Sampling sampling_;  // messages that say when they were sent
  std::atomic<uint32_t> cells_known_{0};  // cells below this stand in the range that others look at
  std::atomic<uint64_t> no_cell_{0};
};

}  // namespace evs::shm
