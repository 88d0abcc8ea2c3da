// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/session.h - one handle of the bus, opened from a command line and closed when it goes out of scope.
//
// The tool uses the C API that everybody uses: what `evs cat` can do, so can any program. A bus that cannot be opened says why to its log and to its caller; where that log
// is stderr, the tool's line there is enough.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "evs/evs.h"
#include "tools/evs/options.h"
#include "tools/evs/signals.h"

namespace evs::tools {

class Session {
 public:
  Session() = default;
  ~Session() { close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // False: error() says what failed. `context` is handed to the callbacks.
  bool open(const BusChoice& choice, const evs_callbacks_ex_t& callbacks, void* context);
  // With an uplink that may take until bus.initialize_timeout. A signal in the meantime kills this process: nothing was told to it or by it yet, and the bus takes
  // the death of a process at any instruction.
  bool open(const BusChoice& choice, const evs_callbacks_ex_t& callbacks, void* context, LeaveSignals& signals);
  void close();

  evs_handle_t handle() const { return handle_; }
  const std::string& error() const { return error_; }
  bool badly_configured() const { return badly_configured_; }  // why open() failed

 private:
  static void log(void* self, int level, const char* text, size_t length);

  evs_handle_t handle_ = 0;
  bool open_ = false;
  bool badly_configured_ = false;
  std::string error_;

  std::mutex log_mutex_;  // of what follows
  bool opening_ = false;
  std::vector<std::string> held_;  // errors of opening, which whoever opens is told as well
};

// "evs_join: CS_ERR_TRY_AGAIN" and the like, for the calls that have no sentence of their own.
std::string call_failed(const char* call, cs_error_t error);

}  // namespace evs::tools
