// SPDX-License-Identifier: BSD-3-Clause
// tools/top/screen_loop.h - evs-top on a terminal: looks, draws, and waits for a key, a signal, or the next look.
#pragma once

#include "tools/evs/signals.h"
#include "tools/top/options.h"
#include "tools/top/watcher.h"

namespace evs::top {

// The exit status.
int run_on_screen(const Options& options, Watcher& watcher, tools::LeaveSignals& signals);

}  // namespace evs::top
