// SPDX-License-Identifier: BSD-3-Clause
// shm/barrier.h - a fence that one process executes for all: the price of SLEEP, moved from who sends to who goes to sleep.
//
// A sender stores its commit and then looks for sleepers; a sleeper arms and then looks for a commit. A store and a load behind it may change
// places, so each side needs a fence in between, and a fence in each send is a third of its cost. membarrier(2) lets the sleeper execute both:
// when barrier_everywhere() returns, each thread of each registered process was either not running or has executed a full fence. So a
// sender that had not seen the armed bit has its commit where the sleeper's second look finds it.
//
// Who cannot register (a kernel before 4.16, a seccomp filter) fences in each of its own sends, and has the others do so: HotWords::fences_wanted,
// set before its join is appended. Its cursors begin behind that join, so each record that concerns it was claimed by a CAS on the tail that
// follows the join's in the tail's order, and that sender, looking after its CAS, finds the word set.
#pragma once

namespace evs::shm {

// Once a process, and again in the child of a fork(). true: barrier_everywhere() reaches this process.
bool register_for_barriers();

// Returns when every registered process's running threads have executed a full fence. Some microseconds. false: the kernel refuses (a seccomp
// filter that came later), and nobody but us has. [signal]
bool barrier_everywhere();

}  // namespace evs::shm
