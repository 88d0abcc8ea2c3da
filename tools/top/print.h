// SPDX-License-Identifier: BSD-3-Clause
// tools/top/print.h - evs-top without a screen: --once, --json, --csv, --svg, --check.
#pragma once

#include "tools/evs/signals.h"
#include "tools/top/options.h"
#include "tools/top/watcher.h"

namespace evs::top {

// The exit status.
int print_looks(const Options& options, Watcher& watcher, tools::LeaveSignals& signals);

// What the command line chose, for the first frame. False: there is no such column, and `failure` names those that there are.
bool choose(const Options& options, const Model& model, Ui& ui, std::string& failure);

}  // namespace evs::top
