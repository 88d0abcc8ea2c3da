// SPDX-License-Identifier: BSD-3-Clause
// shm/claim_append.h - the claim itself, inlined into its callers. claim.h says what it does and which edges order it.
#pragma once

#include <string.h>

#include "shm/claim.h"
#include "shm/clock.h"
#include "shm/crash_point.h"
#include "shm/record.h"

namespace evs::shm {

// From 32 bytes on in steps of 32, the last one overlapping: small messages without a call.
inline void copy_in(unsigned char* to, const void* from, size_t n) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  if (n < 32 || n > 256) {
    memcpy(to, bytes, n);
    return;
  }
  for (size_t i = 0; i + 32 < n; i += 32) memcpy(to + i, bytes + i, 32);
  memcpy(to + n - 32, bytes + n - 32, 32);
}

// The iovec's bytes, never more than were claimed: its lengths may change under us (another thread's iovec).
void copy_in_many(unsigned char* to, const iovec* iov, uint32_t iov_count, size_t size);

// The payload first: the line in front, which has the header and where readers poll, is written last and in one go. A line that a reader
// takes between two of our writes has to be fetched back.
template <class Frame>
inline void write_body(unsigned char* groups, const Frame& frame) {
  unsigned char* const data = groups + size_t{frame.group_count} * kGroupBytes;
  if (__builtin_expect(frame.iov_count == 1 && frame.iov->iov_len == frame.size && frame.size != 0, 1)) {
    copy_in(data, frame.iov->iov_base, frame.size);
  } else {
    copy_in_many(data, frame.iov, frame.iov_count, frame.size);
  }
  EVS_CRASH_POINT("write.payload");
  if (frame.group_count == 1) {
    memcpy(groups, frame.groups, kGroupBytes);
  } else if (frame.group_count != 0) {
    memcpy(groups, frame.groups, size_t{frame.group_count} * kGroupBytes);
  }
}

// Asks for lines before they are written. Of a sender's stream those a few records ahead. An answer's second line only: whoever waits for it polls
// the first, and would take it back before we write it.
constexpr uint64_t kLinesAhead = 512;
inline void Writer::expect_writes(uint64_t tail, Pace pace) const {
  if (pace == Pace::stream) tail += kLinesAhead;
  if (pace == Pace::stream) prefetch_to_write(at(tail));
  prefetch_to_write(at(tail + kLine));
}

// This thread's own cell, while it is free: nobody else writes it, so that a look and a plain store take it.
inline Cell* Writer::own_cell() const {
  const uint32_t mine = t_claim.cell;
  if (__builtin_expect(mine - 1 >= cells_known_.load(std::memory_order_relaxed), 0)) return nullptr;
  Cell* const cell = &cells_[mine - 1];
  return __builtin_expect(cell->intent.load(std::memory_order_relaxed) == 0, 1) ? cell : nullptr;
}

template <class Frame>
[[gnu::always_inline]] inline Code Writer::append(Kind kind, const Frame& frame, uint64_t& position, Reserve reserve, Pace pace,
                                                  BeforeCommit before_commit, void* context) {
  ThreadClaim& mine = t_claim;
  if (__builtin_expect(mine.open != 0, 0)) return Code::nested;
  mine.open = 1;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const Code code = reserve == Reserve::leave && __builtin_expect(before_commit == nullptr, 1)
                        ? append_shortly(kind, frame, position, pace)
                        : append_open(kind, frame, position, reserve, pace, before_commit, context, nullptr);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  mine.open = 0;
  return code;
}

// What nearly every append is: room was found lately, the lap goes on, the thread has its cell, nobody else claims. The same steps as in
// append_open(), which takes over where that is not so; without its loop everything stays in registers.
template <class Frame>
[[gnu::always_inline]] inline Code Writer::append_shortly(Kind kind, const Frame& frame, uint64_t& position, Pace pace) {
  std::atomic<uint64_t>& tail_word = hot_->tail;
  const uint64_t need = record_bytes(frame.group_count, frame.size);
  uint64_t tail = tail_word.load(std::memory_order_acquire);
  const uint64_t end = tail + need;
  expect_writes(tail, pace);
  Cell* cell = nullptr;
  const bool plain = need <= largest_record_ && (tail ^ (end - 1)) < capacity_ && room_->admits_at_once(end);
  if (__builtin_expect(plain, 1)) cell = own_cell();
  if (__builtin_expect(cell == nullptr, 0))
    return append_open(kind, frame, position, Reserve::leave, pace, nullptr, nullptr, nullptr);
  EVS_CRASH_POINT("claim.room");
  cell->intent.store(tail | kIntentOpen, std::memory_order_release);
  EVS_CRASH_POINT("claim.intent");
  if (__builtin_expect(!tail_word.compare_exchange_strong(tail, end, std::memory_order_seq_cst), 0)) {  // INTENT
    EVS_CRASH_POINT("claim.lost");
    return append_open(kind, frame, position, Reserve::leave, pace, nullptr, nullptr, cell);
  }
  complete(kind, frame, position, cell, tail, 0, nullptr, nullptr);
  return Code::ok;
}

// `cell`: taken already, its claim lost to another's; or none yet.
template <class Frame>
[[gnu::noinline]] Code Writer::append_open(Kind kind, const Frame& frame, uint64_t& position, Reserve reserve, Pace pace,
                                           BeforeCommit before_commit, void* context, Cell* cell) {
  std::atomic<uint64_t>& tail_word = hot_->tail;
  const uint64_t need = record_bytes(frame.group_count, frame.size);
  if (need > largest_record_) return Code::too_big;
  uint64_t tail = tail_word.load(std::memory_order_acquire);
  uint64_t rest;
  for (;;) {
    const uint64_t offset = tail & (capacity_ - 1);
    expect_writes(tail, pace);
    rest = offset + need > capacity_ ? capacity_ - offset : 0;
    const uint64_t end = tail + rest + need;
    if (!room_->admits(end, reserve == Reserve::use)) {  // A2: before the claim, nobody waits while holding one
      if (cell != nullptr) cell->intent.store(0, std::memory_order_release);
      return Code::again;
    }
    EVS_CRASH_POINT("claim.room");
    if (cell == nullptr) {
      cell = take_cell(tail | kIntentOpen);
      if (cell == nullptr) return Code::again;
    } else {
      cell->intent.store(tail | kIntentOpen, std::memory_order_release);
    }
    EVS_CRASH_POINT("claim.intent");
    if (tail_word.compare_exchange_strong(tail, end, std::memory_order_seq_cst)) break;  // INTENT
    EVS_CRASH_POINT("claim.lost");
  }
  complete(kind, frame, position, cell, tail, rest, before_commit, context);
  return Code::ok;
}

// The claim from `tail` on is won: the rest of the lap first, if there is one, then the record.
template <class Frame>
[[gnu::always_inline]] inline void Writer::complete(Kind kind, const Frame& frame, uint64_t& position, Cell* cell, uint64_t tail, uint64_t rest,
                                                    BeforeCommit before_commit, void* context) {
  EVS_CRASH_POINT("claim.won");
  cell->intent.store(tail | kIntentOwner, std::memory_order_release);
  EVS_CRASH_POINT("claim.owner");
  // LAP. Free on x86.
  std::atomic_thread_fence(std::memory_order_release);

  const uint64_t where = tail + rest;
  std::atomic<uint64_t>& appended = cell->appended[kind == Kind::message ? frame.guarantee % kGuarantees : kGuarantees];
  const uint64_t nth = appended.load(std::memory_order_relaxed);
  uint64_t sent_ns = 0;  // not sampled
  if (__builtin_expect(sampling_.takes(nth), 0)) sent_ns = monotonic_ns();
  auto* header = reinterpret_cast<RecordHeader*>(at(where));
  write_body(reinterpret_cast<unsigned char*>(header + 1), frame);
  EVS_CRASH_POINT("write.groups");
  HeaderWords(static_cast<uint32_t>(frame.size), slot_, frame.guarantee, generation_, frame.group_count, sent_ns).store(*header);
  EVS_CRASH_POINT("write.header");
  position = where;  // the caller's, before anybody can answer
  if (before_commit != nullptr) before_commit(context, where);

  header->commit.store((where | static_cast<uint64_t>(kind)) ^ secret_, std::memory_order_release);  // COMMIT
  EVS_CRASH_POINT("commit.record");
  if (rest != 0) {
    segment_->word(tail).store(segment_->encode(tail, Kind::skip), std::memory_order_release);  // A4: last
    EVS_CRASH_POINT("commit.skip");
  }
  appended.store(nth + 1, std::memory_order_relaxed);
  cell->appended_bytes.store(cell->appended_bytes.load(std::memory_order_relaxed) + frame.size, std::memory_order_relaxed);
  cell->intent.store(0, std::memory_order_release);  // CLEAR
  EVS_CRASH_POINT("clear");

  // SLEEP. The processor's part of the fence is the sleeper's (barrier.h); that the compiler keeps the look behind the commit is ours.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const HotWords& hot = *hot_;
  if (__builtin_expect(fence_ || hot.fences_wanted.load(std::memory_order_relaxed) != 0, 0))
    std::atomic_thread_fence(std::memory_order_seq_cst);  // where the sleeper's barrier does not reach
  // Two words are 128 members, the default; those that no slot has stay zero.
  uint64_t armed = hot.armed_slots[0].load(std::memory_order_relaxed) | hot.armed_slots[1].load(std::memory_order_relaxed);
  for (uint32_t w = 2; __builtin_expect(w < slot_word_count_, 0); ++w) armed |= hot.armed_slots[w].load(std::memory_order_relaxed);
  if (__builtin_expect(armed != 0, 0)) ring(kind, frame.groups, frame.group_count);
}

}  // namespace evs::shm
