// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/exporter_command.h - `evs exporter`: all buses of a host for Prometheus, by HTTP or as a file; it is on none of them.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_exporter(const ExporterOptions& options);

}  // namespace evs::tools
