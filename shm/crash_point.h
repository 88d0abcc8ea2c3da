// SPDX-License-Identifier: BSD-3-Clause
// shm/crash_point.h - places where a process can be told to die.
//
// SIGKILL at a random moment rarely hits the two instructions that matter. In the test variant of this library each
// step of a claim, a fill, a read, an attach and a detach is followed by a named crash point; the environment variable
// EVS_CRASH_AT="name" or "name:n" makes the process kill itself when it passes that point for the nth time. In every
// other build the macro is empty and the symbol does not exist (a test runs nm over the release).
#pragma once

#ifdef EVS_CRASH_POINTS
extern "C" void evs_crash_point(const char* name);
#define EVS_CRASH_POINT(name) evs_crash_point(name)
#else
#define EVS_CRASH_POINT(name) static_cast<void>(0)
#endif
