// SPDX-License-Identifier: BSD-3-Clause
// shm/death.h - proof that a member is dead, from the kernel and never from a clock (docs/shm-layout.md B2).
//
// Two proofs. The pidfd of its process is readable (after its start time was verified: ESRCH or another start time is proof as well).
// Or, because exec keeps the pid and its pidfd silent: its slot's OFD lock is free *and* its service thread's robust
// futex says that the owner died.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "shm/lock_file.h"
#include "shm/segment.h"

namespace evs::shm {

// In clock ticks since boot; 0 when there is no such process.
uint64_t process_start_time(pid_t pid);
// 'R', 'S', 'T', ... from /proc; 0 when there is no such process.
char process_state(pid_t pid);

enum class Pulse { alive, dead, unknown };

// Opens a pidfd for the process that lives in a slot. dead: it is not there any more (no descriptor). unknown: no descriptor to be
// had; ask again.
Pulse open_pidfd(pid_t pid, uint64_t start_time, int& fd);
bool pidfd_readable(int fd);

// The whole question, on demand: opens, looks, closes.
Pulse pulse_of(const Segment& segment, uint32_t slot, const LockFile& locks);

// The service thread's robust futex in a slot. hold() and let_go() run on that thread; the kernel marks the word when the thread is gone.
//
// A thread has one robust list, and may serve several transports: their slots are nodes of one list of its own (death.cc), in any order of
// hold() and let_go(). While it has nodes it stands in for the C library's list, which comes back when the last one goes.
class RobustFutex {
 public:
  void hold(Slot& slot);
  void let_go(Slot& slot);
};
// In the child of a fork(): the list that its thread's memory names is the parent's.
void forget_robust_list();
bool robust_owner_died(const Slot& slot);

}  // namespace evs::shm
