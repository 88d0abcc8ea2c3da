// SPDX-License-Identifier: BSD-3-Clause
// references.h - the field, for orientation: what others reach on one host. Printed beside our figures.
//
// Measured on another machine than yours (2 virtual processors of a Zen 5 EPYC, Linux 6.18, one run a cell,
// shared-memory figures +- 2x), so no ratio is made of them; docs/performance.md has more of them and how they were
// taken.
#pragma once

namespace evs::bench {

struct Reference {
  const char* who;
  const char* round_trip;
  const char* rate_64;
  const char* rate_1k;
};

inline constexpr const char* kReferenceMachine = "2 vCPUs of a Zen 5 EPYC, Linux 6.18, Debian 12";

inline constexpr Reference kReferences[] = {
    {"bounced cache line", "80-140 ns near, 410-430 ns far", "", ""},
    {"Aeron IPC, busy polling (no order across streams, no membership)", "170 ns near, 690 ns far", "20-50 M/s",
     "3-10 M/s"},
    {"iceoryx, busy take()", "1.3 us", "0.65 M/s", "1.7 M/s"},
    {"iceoryx, WaitSet", "62 us", "0.68 M/s", "1.1 M/s"},
    {"Boost.Interprocess message_queue, spinning (no broadcast)", "1.8 us", "5.0 M/s", "2.8 M/s"},
    {"Boost.Interprocess message_queue, blocking (no broadcast)", "58 us", "5.3 M/s", "3.1 M/s"},
    {"Cyclone DDS, reliable, loopback UDP", "60 us", "1.5 M/s", "0.85 M/s"},
    {"ZeroMQ ipc://, blocking", "84 us", "5.5 M/s", "0.77 M/s"},
    {"nng ipc://, blocking", "108 us", "0.04 M/s", "0.05 M/s"},
    {"Unix stream socket, blocking, bare", "50 us", "0.4-1.0 M/s", "0.36 M/s"},
    {"futex between processors, bare", "42 us", "", ""},
    {"Corosync 3 CPG, one node (no real-time priority)", "114 us", "0.34 M/s", ""},
    {"Corosync 1.x libevs, one node", "", "0.03 M/s", "0.03 M/s"},
};

inline constexpr const char* kReferenceNotes[] = {
    "Aeron: a producer that dies inside a claim silences its subscribers for 15 s; a subscriber that dies stalls "
    "everyone "
    "for 10 s.",
    "Corosync: survivors have the new configuration 8 s after a killed daemon with the defaults, 85 ms with the "
    "smallest "
    "timeouts it takes; Spread: 3 s and 62 ms.",
};

}  // namespace evs::bench
