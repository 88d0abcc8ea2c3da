// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/status_command.h - `evs status`: reads the bus's files, joins nothing, waits for nobody.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_status(const StatusOptions& options);

}  // namespace evs::tools
