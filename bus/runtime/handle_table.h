// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle_table.h - from the number that the application holds to the Handle, without a lock.
//
// 256 slots, never freed; the number is generation << 8 | slot, and its generation is never used twice in a process, so
// a number that was finalized, or made up, or inherited through a fork, finds a slot with another tag. A Handle object,
// once made, stays with its slot: who looked it up a moment too late touches valid memory, sees the tag, and goes.
//
//   OPEN  tag: release in publish -> acquire in Call. All of the Handle is set up before its number is known.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "evs/evs.h"

namespace evs::runtime {

class Handle;
class BusRegistry;

struct HandleSlot {
  std::atomic<uint64_t> tag{0};  // the number; 0: none
  std::atomic<Handle*> handle{nullptr};
};

namespace handle_table {

extern HandleSlot g_slots[EVS_MAX_HANDLES];
extern std::atomic<uint32_t> g_forks;  // how many forks lie between the first process and this one

// Counts up, with a wake, whenever a bus lowers its gate. One word for all buses, because a bus may go while one waits for it.
extern std::atomic<uint32_t> g_gate_moves;

inline HandleSlot& slot_of(evs_handle_t id) { return g_slots[id & (EVS_MAX_HANDLES - 1)]; }
static_assert((EVS_MAX_HANDLES & (EVS_MAX_HANDLES - 1)) == 0);

// A Handle that nobody uses, with its number not yet published; nullptr: EVS_MAX_HANDLES are open. May throw bad_alloc.
Handle* take(evs_handle_t& id);
void publish(evs_handle_t id);
// Makes the number invalid; true for the one caller who did.
bool withdraw(evs_handle_t id);
void give_back(Handle& handle);

// The buses of this process; made anew in a child. May throw bad_alloc.
BusRegistry& buses();

}  // namespace handle_table
}  // namespace evs::runtime
