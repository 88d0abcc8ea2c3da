// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/signals.h - SIGINT, SIGTERM and SIGHUP as a readable descriptor: a wish to leave, taken between two steps.
//
// Blocked before the bus is opened, so that its threads inherit the mask and a signal interrupts nothing half done.
// After the first one the signals get their usual effect back: who presses Ctrl-C twice means it. One that is ignored, as
// under nohup, is left so: whoever started us wants it to end nothing. SIGPIPE is ignored; a reader that went away is an
// error of write(). Only the tool's own process is touched: the library changes no signal.
#pragma once

#include <signal.h>

namespace evs::tools {

class LeaveSignals {
 public:
  LeaveSignals();
  ~LeaveSignals();
  LeaveSignals(const LeaveSignals&) = delete;
  LeaveSignals& operator=(const LeaveSignals&) = delete;

  int descriptor() const { return descriptor_; }

  // True once a signal came; the descriptor stays readable until then.
  bool take();

  // For a child process that shall die of them; one that waits already comes now.
  void restore();

 private:
  sigset_t taken_;
  int descriptor_ = -1;
};

}  // namespace evs::tools
