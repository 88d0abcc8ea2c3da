// SPDX-License-Identifier: BSD-3-Clause
// probes.h - what the machine allows: the bare rounds that evs's rounds are compared with.
//
// Each is one short round between fresh processes on the two processors of cores(). None of them knows evs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/bench/samples.h"

namespace evs::bench {

// One word in one cache line, sent to and fro by two processes that do nothing else.
Percentiles probe_line(int milliseconds);

// How two sleeping processes wake each other. `quiet_us`: how long the first is silent before each round trip, so that
// the other sleeps deeply; 0: back to back.
Percentiles probe_futex(int milliseconds, int quiet_us);
Percentiles probe_epoll(int milliseconds, int quiet_us);

// A record's geometry, so that the bare log moves the same lines as the ring it is compared with.
struct RecordShape {
  size_t payload_bytes;
  size_t payload_at;
  size_t record_bytes;
};

// Round trip of one record through the bare log.
Percentiles probe_log_round_trip(int milliseconds, const RecordShape& shape);

struct LogRate {
  double messages_per_second;
};
// `senders` x `readers` processes over the two processors; every reader reads every byte of every record.
LogRate probe_log_rate(int milliseconds, const RecordShape& shape, uint32_t senders, uint32_t readers);

// The sender's processor time for a record, nanoseconds, with readers that keep up.
double probe_log_send_cpu(int milliseconds, const RecordShape& shape, uint32_t readers);

}  // namespace evs::bench
