// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle_table.cc - the slots, and what a fork() does to them.
//
// In the child everything that stands behind the slots belongs to the parent: its shared memory is not mapped, its locks may be
// held by threads that do not exist. The child handler empties the slots and forgets the rest; nothing is freed.
#include "bus/runtime/handle_table.h"

#include <pthread.h>
#include <sys/random.h>

#include <new>

#include "bus/runtime/bus_registry.h"
#include "bus/runtime/futex.h"
#include "bus/runtime/handle.h"
#include "bus/runtime/presence.h"

namespace evs::runtime::handle_table {

HandleSlot g_slots[EVS_MAX_HANDLES];
std::atomic<uint32_t> g_forks{0};
std::atomic<uint32_t> g_gate_moves{0};

namespace {

// What a child makes anew. Never destroyed: threads may be inside when the process ends.
struct Process {
  FutexLock lock;
  bool in_use[EVS_MAX_HANDLES] = {};
  uint64_t generation = 0;  // of the number given out last; 56 bits
  uint32_t next_slot = 0;
  BusRegistry buses;
};

std::atomic<Process*> g_process{nullptr};
std::atomic<bool> g_fork_watched{false};

void in_child() {
  g_forks.fetch_add(1, std::memory_order_relaxed);
  g_process.store(nullptr, std::memory_order_relaxed);
  for (HandleSlot& slot : g_slots) {
    slot.tag.store(0, std::memory_order_relaxed);
    slot.handle.store(nullptr, std::memory_order_relaxed);
  }
  presence::after_fork_in_child();
}

Process& process() {
  Process* mine = g_process.load(std::memory_order_acquire);
  if (mine != nullptr) return *mine;
  auto* fresh = new Process;
  uint64_t start = 0;
  // Weak randomness is enough: it keeps numbers of two processes, and of parent and child, apart.
  if (getrandom(&start, sizeof start, GRND_NONBLOCK) != sizeof start) start = monotonic_ns();
  fresh->generation = start >> 16;
  if (!g_process.compare_exchange_strong(mine, fresh, std::memory_order_acq_rel)) {
    delete fresh;
    return *mine;
  }
  if (!g_fork_watched.exchange(true)) pthread_atfork(nullptr, nullptr, &in_child);
  return *fresh;
}

}  // namespace

BusRegistry& buses() { return process().buses; }

Handle* take(evs_handle_t& id) {
  Process& mine = process();
  mine.lock.lock();
  uint32_t index = mine.next_slot;
  uint32_t looked = 0;
  while (looked < EVS_MAX_HANDLES && mine.in_use[index]) {
    index = (index + 1) % EVS_MAX_HANDLES;
    ++looked;
  }
  Handle* handle = nullptr;
  if (looked < EVS_MAX_HANDLES) {
    handle = g_slots[index].handle.load(std::memory_order_relaxed);
    if (handle == nullptr) handle = new (std::nothrow) Handle;
    if (handle != nullptr) {
      g_slots[index].handle.store(handle, std::memory_order_release);
      mine.in_use[index] = true;
      mine.next_slot = index;  // the same slot again: its Handle and its buffers are warm
      mine.generation = (mine.generation + 1) & 0x00ffffffffffffffu;
      if (mine.generation == 0) mine.generation = 1;
      id = mine.generation << 8 | index;
    }
  }
  mine.lock.unlock();
  if (looked < EVS_MAX_HANDLES && handle == nullptr) throw std::bad_alloc();
  return handle;
}

void publish(evs_handle_t id) { slot_of(id).tag.store(id, std::memory_order_release); }  // OPEN

bool withdraw(evs_handle_t id) {
  uint64_t expected = id;
  return id != 0 && slot_of(id).tag.compare_exchange_strong(expected, 0, std::memory_order_seq_cst);
}

void give_back(Handle& handle) {
  Process& mine = process();
  mine.lock.lock();
  for (uint32_t index = 0; index < EVS_MAX_HANDLES; ++index) {
    if (g_slots[index].handle.load(std::memory_order_relaxed) != &handle) continue;
    mine.in_use[index] = false;
    mine.next_slot = index;
  }
  mine.lock.unlock();
}

}  // namespace evs::runtime::handle_table
