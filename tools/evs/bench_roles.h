// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/bench_roles.h - what each process of a measurement does.
#pragma once

#include "evs/evs.h"
#include "tools/evs/bench_crew.h"
#include "tools/evs/options.h"

namespace evs::tools {

enum class Wait : uint8_t { busy, block, poll };

struct BenchLoad {
  BusChoice bus;
  uint64_t size = 64;
  Wait wait = Wait::busy;
  evs_guarantee_t guarantee = EVS_TYPE_AGREED;
};

// One message in flight between two: the first sends and measures, the second answers. Both join one group.
int ask(CrewMember& member, const BenchLoad& load);
int answer(CrewMember& member, const BenchLoad& load);

// A stream: senders join nothing, receivers join the group that is sent to.
int send_stream(CrewMember& member, const BenchLoad& load);
int receive_stream(CrewMember& member, const BenchLoad& load);

// What the machine allows: a cache line bounced between the two, with nothing else in it.
int bounce_first(CrewMember& member);
int bounce_second(CrewMember& member);

}  // namespace evs::tools
