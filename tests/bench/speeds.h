// SPDX-License-Identifier: BSD-3-Clause
// speeds.h - what is measured: one function each, in a file of its own.
#pragma once

#include <vector>

#include "tests/bench/plan.h"
#include "tests/bench/probes.h"
#include "tests/bench/report.h"
#include "tests/bench/samples.h"

namespace evs::bench {

using Measure = std::vector<Outcome> (*)(const Plan&);

struct Speed {
  const char* name;  // of --only
  const char* what;
  Measure measure;
};

std::vector<Outcome> measure_round_trip(const Plan& plan);
std::vector<Outcome> measure_rates(const Plan& plan);
std::vector<Outcome> measure_two_by_two(const Plan& plan);
std::vector<Outcome> measure_send_cpu(const Plan& plan);
std::vector<Outcome> measure_wake_blocking(const Plan& plan);
std::vector<Outcome> measure_wake_epoll(const Plan& plan);
std::vector<Outcome> measure_system_calls(const Plan& plan);
std::vector<Outcome> measure_death(const Plan& plan);
std::vector<Outcome> measure_opening(const Plan& plan);
std::vector<Outcome> measure_memory(const Plan& plan);
std::vector<Outcome> measure_metrics(const Plan& plan);
std::vector<Outcome> measure_udp(const Plan& plan);

inline constexpr Speed kSpeeds[] = {
    {"round-trip", "64 B ping-pong of two busy processes", measure_round_trip},
    {"rate", "one sender, one reader: 64 B, 1 KiB, 64 KiB", measure_rates},
    {"two-by-two", "two senders, two readers on two processors", measure_two_by_two},
    {"send-cpu", "what a message costs its sender with 1 and with 16 readers", measure_send_cpu},
    {"wake-blocking", "round trip of two processes that sleep in evs_dispatch", measure_wake_blocking},
    {"wake-epoll", "round trip of two event loops on evs_fd_get", measure_wake_epoll},
    {"system-calls", "system calls a message, counted by strace", measure_system_calls},
    {"death", "from a killed process to the others' configuration change", measure_death},
    {"opening", "evs_initialize to the return of evs_join", measure_opening},
    {"memory", "private memory of a member", measure_memory},
    {"metrics", "the same with histograms and without: rate and round trip, 64 B", measure_metrics},
    {"udp", "multicast between two hosts: the udp transport and bare sockets", measure_udp},
};

// How large a message of `payload_bytes` to one group is in evs's ring, asked of evs itself: the bare log must move the
// same number of lines.
RecordShape ring_shape(size_t payload_bytes);

// Messages a second through evs, each read whole by every reader (rates.cc).
double evs_rate(int milliseconds, size_t payload_bytes, uint32_t senders, uint32_t readers);
// 64 B to and fro between two busy processes (round_trip.cc).
Percentiles evs_round_trip(int milliseconds);

}  // namespace evs::bench
