// SPDX-License-Identifier: BSD-3-Clause
// scenarios.h - the stories that evs-torture plays, by name.
#pragma once

#include <cstdint>
#include <string>

#include "tests/torture/stage.h"

namespace evs::torture {

struct Run {
  uint64_t seed = 1;
  bool is_long = false;
  uint64_t kills = 0;     // 0: as the scenario's length says
  std::string only;       // of crash_points: the points whose name begins so
  Totals totals;
  std::string remark;     // what the scenario wants to say besides
};

// On a terminal, at most every two seconds.
void say_progress(const Run& run, const char* what, uint64_t done, uint64_t of);

void random_kills(Run& run);      // SIGKILL at random moments, one or several at once, now and then all
void crash_points(Run& run);      // death at each injected point, in the middle of everybody's traffic
void stops(Run& run);             // SIGSTOP and SIGCONT: short ones, expulsions, rejoins, and killed while stopped
void stopped_in_claim(Run& run);  // a claim's owner stands: nobody reuses, fills or laps its place
void expelled_in_send(Run& run);  // who was expelled between its look and its claim is heard by nobody, and counts it
void exec(Run& run);              // the pid lives on, the member does not
void slow_readers(Run& run);
void full_ring(Run& run);         // TRY_AGAIN, and the room callback that comes when it is true
void only_sends(Run& run);        // ten laps by a process that reads nothing, with and without readers
void sleepers(Run& run);          // sixteen sleep, the addressed one wakes
void churn(Run& run);             // killed while attaching and detaching

}  // namespace evs::torture
