// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench.h - `evs bench`: how fast is the bus on this machine, between real processes.
//
// Latency: two processes, one message in flight; the time from evs_mcast_joined() to the delivery of the answer.
// Throughput: n processes send as fast as they are let, m receive; messages a second at each receiver.
// The processes are forked before any of them opens the bus and meet in a page of shared memory (bench_shared.h).
// Unless a bus is named they run one of their own in a directory of their own, and leave nothing behind.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_bench(const BenchOptions& options);

}  // namespace evs::tools
