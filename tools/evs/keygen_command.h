// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/keygen_command.h - `evs keygen`: makes the key that the hosts of a bus share, and takes it through its replacement step by step.
//
// The key file's form and its checks are the bus's own (bus/runtime/sealing/key_file.h). It needs no bus.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_keygen(const KeygenOptions& options);

}  // namespace evs::tools
