// SPDX-License-Identifier: BSD-3-Clause
// machine.h - the facts without which no figure of this benchmark can be read.
#pragma once

#include "tests/bench/report.h"

namespace evs::bench {

// Fills report.machine; probes the cache line to say whether the two processors are near or far right now.
void describe_machine(Report& report);

}  // namespace evs::bench
