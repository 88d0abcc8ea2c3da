// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/presence.h - who is inside the transport right now?
//
// A rejoin and the closing of a handle need to know that no thread is between its first look at a handle and its last
// use of the transport. A counter would cost every send two contended operations; so each thread has a record of its
// own and writes into it which handle it is using: two plain stores. Whoever wants the place for itself raises a gate (or
// takes the handle's tag away), makes every running thread pass a barrier (membarrier), and waits for the records.
//
//   SEEN  record cell store, fence, gate/tag load  <->  gate/tag store, heavy_barrier(), cell load.
//         One of the two sides sees the other: Dekker, with the cost moved to the rare side.
//   DONE  cell: release in leave -> acquire in is_inside(). What a thread did inside is seen by who waited for it.
//
// Signal handlers may send, also as a thread's first call: a record is taken from a static pool by compare-and-swap, no
// allocation. A handler that interrupts a call of its own thread uses the next cell of the same record (kDepth of them).
// Records of threads that ended are found when the pool runs short; when it is empty, a shared counter of the handle
// stands in. Counters of sends are kept in the records too, one set per open bus, because each has one writer at a time.
#pragma once

#include <atomic>
#include <cstdint>

namespace evs::runtime {

class Handle;

inline constexpr uint32_t kPresenceDepth = 4;      // nested signal handlers that send, the call itself included
inline constexpr uint32_t kPresenceRecords = 1024; // threads that use evs at once without the shared counter
inline constexpr uint32_t kCountedBuses = 4;       // buses of a process whose sends are counted in the records

enum class TryAgain : uint8_t { full, nested, rejoining };  // why a send was answered TRY_AGAIN
inline constexpr uint32_t kTryAgains = 3;

// What one thread sent on one bus. Written by the record's owner inside a call, read by anybody.
struct SendCounts {
  std::atomic<uint64_t> messages{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> refused[kTryAgains] = {};

  static void add(std::atomic<uint64_t>& counter, uint64_t n) {  // one writer: no locked operation
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

struct alignas(128) PresenceRecord {
  std::atomic<int32_t> owner{0};  // thread id; 0: free
  std::atomic<uint32_t> depth{0};
  std::atomic<Handle*> inside[kPresenceDepth] = {};
  SendCounts sent[kCountedBuses];
};

namespace presence {

extern thread_local PresenceRecord* t_record __attribute__((tls_model("initial-exec")));
extern std::atomic<bool> g_fence_on_entry;  // no membarrier here: each entry pays for the fence

PresenceRecord* claim_record();  // nullptr: none is free

// This thread's record. [signal]
inline PresenceRecord* record() {
  PresenceRecord* mine = t_record;
  return __builtin_expect(mine != nullptr, 1) ? mine : claim_record();
}

// The depth counts first and the cell is cleared first, so that a signal handler in between never touches our cell.
inline void enter_at(PresenceRecord& mine, uint32_t depth, Handle* handle) {
  mine.depth.store(depth + 1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  mine.inside[depth].store(handle, std::memory_order_relaxed);
  if (__builtin_expect(g_fence_on_entry.load(std::memory_order_relaxed), 0)) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // SEEN
  } else {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // SEEN: heavy_barrier() is the other half
  }
}
inline uint32_t enter(PresenceRecord& mine, Handle* handle) {
  const uint32_t depth = mine.depth.load(std::memory_order_relaxed);
  if (__builtin_expect(depth < kPresenceDepth, 1)) enter_at(mine, depth, handle);
  return depth;
}

inline void leave(PresenceRecord& mine, uint32_t depth) {
  mine.inside[depth].store(nullptr, std::memory_order_release);  // DONE
  std::atomic_signal_fence(std::memory_order_seq_cst);
  mine.depth.store(depth, std::memory_order_relaxed);
}

// Before the first use in a process, and again in a child.
void prepare();
// What every thread stored before is seen by us afterwards, and what we stored by them.
void heavy_barrier();
// Is a thread inside on behalf of a handle for which `concerns` answers true? The caller's own record is passed over when
// `but_not_me`.
bool is_inside(bool (*concerns)(const Handle* handle, const void* context), const void* context, bool but_not_me);
// Returns when nobody is, after heavy_barrier().
void wait_until_outside(bool (*concerns)(const Handle* handle, const void* context), const void* context);

struct SendTotals {
  uint64_t messages = 0, bytes = 0, refused[kTryAgains] = {};
  void add(const SendCounts& counts) {
    messages += counts.messages.load(std::memory_order_relaxed);
    bytes += counts.bytes.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < kTryAgains; ++i) refused[i] += counts.refused[i].load(std::memory_order_relaxed);
  }
  uint64_t try_again() const { return refused[0] + refused[1] + refused[2]; }
};
SendTotals sent(uint32_t bus_slot);
void clear_sent(uint32_t bus_slot);  // while nobody is inside on that bus

// In the child of a fork(): the threads of the parent are gone, and so is what they were inside of.
void after_fork_in_child();

}  // namespace presence
}  // namespace evs::runtime
