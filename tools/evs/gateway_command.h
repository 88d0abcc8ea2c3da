// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/gateway_command.h - `evs gateway`: a process that is there for the gateway's role alone, on hosts whose applications come and go.
//
// A handle like any other, opened with uplink.gateway = "standing" and in no group: the library does the rest. When it ends, by SIGKILL too, an application takes over.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_gateway(const GatewayOptions& options);

}  // namespace evs::tools
