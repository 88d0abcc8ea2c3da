// SPDX-License-Identifier: BSD-3-Clause
// shm/crash_point.cc - kills this process at the crash point that the environment names. Test builds only.
//
// EVS_CRASH_AT=name[:n]  the n-th time it passes there;  EVS_CRASH_BY=STOP  stops it there instead, until somebody continues it.
#include "shm/crash_point.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>

namespace {

struct Plan {
  const char* at = nullptr;
  size_t length = 0;
  int signal = SIGKILL;
  std::atomic<long> passes_left{1};

  Plan() {
    at = getenv("EVS_CRASH_AT");
    if (at == nullptr) return;
    const char* by = getenv("EVS_CRASH_BY");
    if (by != nullptr && strcmp(by, "STOP") == 0) signal = SIGSTOP;
    const char* colon = strchr(at, ':');
    length = colon ? static_cast<size_t>(colon - at) : strlen(at);
    if (colon != nullptr) passes_left = atol(colon + 1);
  }
};

}  // namespace

extern "C" void evs_crash_point(const char* name) {
  static Plan plan;
  if (plan.at == nullptr) return;
  if (strlen(name) != plan.length || strncmp(name, plan.at, plan.length) != 0) return;
  // To this very thread: a SIGSTOP that another thread takes would let this one run on for a while.
  if (plan.passes_left.fetch_sub(1) == 1) raise(plan.signal);
}
