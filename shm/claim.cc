// SPDX-License-Identifier: BSD-3-Clause
// shm/claim.cc - the parts of a claim that are not on every sender's path.
#include "shm/claim.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shm/claim_append.h"

namespace evs::shm {

__attribute__((tls_model("initial-exec"), visibility("hidden"))) thread_local constinit ThreadClaim t_claim{0, 0};

namespace {

// Whose cell is the one with this index, in every ring of the process: a thread id; 0: nobody's. A cell is not given back when its thread ends (a
// destructor of thread-local data is not something that a signal handler can register); it is taken over.
std::atomic<int32_t> g_cell_owners[kOwnedCells];

bool take_over(std::atomic<int32_t>& owner, int32_t me) {
  int32_t now = owner.load(std::memory_order_relaxed);
  if (now != 0 && now != me && (syscall(SYS_tgkill, getpid(), now, 0) == 0 || errno != ESRCH)) return false;
  return owner.compare_exchange_strong(now, me, std::memory_order_acq_rel);
}

constexpr uint32_t kShares = UINT32_MAX;  // all were taken when this thread asked

uint32_t find_own_cell() {
  const int saved = errno;
  const auto me = static_cast<int32_t>(syscall(SYS_gettid));
  uint32_t i = 0;
  while (i < kOwnedCells && !take_over(g_cell_owners[i], me)) ++i;
  errno = saved;
  return i < kOwnedCells ? i + 1 : kShares;
}

}  // namespace

void forget_thread_cell() { t_claim.cell = 0; }

void copy_in_many(unsigned char* to, const iovec* iov, uint32_t iov_count, size_t size) {
  size_t left = size;
  for (uint32_t i = 0; i < iov_count && left != 0; ++i) {
    const size_t n = iov[i].iov_len < left ? iov[i].iov_len : left;
    if (n != 0) memcpy(to, iov[i].iov_base, n);
    to += n;
    left -= n;
  }
  if (left != 0) memset(to, 0, left);
}

void Writer::bind(const Segment* segment, uint32_t slot, uint32_t generation, Room* room, Bells* bells, bool fence) {
  segment_ = segment;
  slot_ = slot;
  generation_ = generation;
  room_ = room;
  bells_ = bells;
  hot_ = &segment->hot();
  cells_ = segment->slot(slot).cells;
  ring_ = segment->at(0);
  unit_mask_ = segment->geometry().unit_mask;
  secret_ = segment->geometry().secret;
  capacity_ = segment->geometry().capacity;
  largest_record_ = segment->geometry().largest_record;
  slot_word_count_ = segment->geometry().slot_word_count;
  fence_ = fence;
  cells_known_.store(0, std::memory_order_relaxed);
}

// A thread's first claim, one with a cell that others do not look at yet, and those of threads that share. A CAS in each case: what a thread left
// in a cell that was stopped, or ended, inside a claim stays there.
Cell* Writer::take_cell(uint64_t intent) {
  ThreadClaim& mine = t_claim;
  if (mine.cell == 0) mine.cell = find_own_cell();
  std::atomic<uint32_t>& in_range = segment_->slot(slot_).cells_used;
  const auto take = [&](uint32_t i) -> Cell* {
    uint32_t used = in_range.load(std::memory_order_relaxed);
    // Before the intent: a cell outside the range that others look at would not be seen.
    while (used <= i && !in_range.compare_exchange_weak(used, i + 1, std::memory_order_seq_cst)) {}
    uint64_t free = 0;
    return cells_[i].intent.compare_exchange_strong(free, intent, std::memory_order_seq_cst) ? &cells_[i] : nullptr;
  };
  Cell* cell = mine.cell != kShares ? take(mine.cell - 1) : nullptr;
  if (cell != nullptr) cells_known_.store(in_range.load(std::memory_order_relaxed), std::memory_order_relaxed);
  for (uint32_t i = kOwnedCells; cell == nullptr && i < kCells; ++i) cell = take(i);
  if (cell == nullptr) no_cell_.fetch_add(1, std::memory_order_relaxed);
  return cell;
}

void Writer::ring(Kind kind, const void* groups, uint32_t group_count) {
  bells_->ring_armed(kind == Kind::membership, groups, group_count);
  EVS_CRASH_POINT("rang");
}

}  // namespace evs::shm
