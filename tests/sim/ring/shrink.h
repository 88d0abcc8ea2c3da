// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/shrink.h - a bad run made small: as few events, as calm a world as it takes to violate the same predicate.
#pragma once

#include "tests/sim/ring/cluster.h"

namespace evs::sim {

struct Small {
  Plan plan;
  Script script;
  uint32_t runs = 0;  // that it took
};

// Delta debugging (Zeller, Hildebrandt 2002) of the events, then of the world, and again of the events, until nothing more can go.
Small shrink(const Plan& plan, const Script& script, const std::string& predicate);

}  // namespace evs::sim
