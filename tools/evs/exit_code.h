// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/exit_code.h - what the exit status of `evs` says; evs(1) documents the same numbers for scripts.
#pragma once

namespace evs::tools {

enum ExitCode : int {
  kExitOk = 0,       // done; also after SIGINT or SIGTERM, when the bus was left in order
  kExitFailure = 1,  // it failed; the sentence on stderr says what, on which thing
  kExitUsage = 2,    // the command line or the configuration cannot be understood
  kExitNoBus = 3,    // there is no such bus on this host
  kExitLost = 4,     // this process was expelled and messages were lost to it
};

}  // namespace evs::tools
