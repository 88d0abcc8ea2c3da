// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_equal_test.cc - a window file holds what ordering::apply() makes of the same effects, each time.
#include "tests/unit/uplink/window_world.h"

namespace evs::runtime::uplink {
namespace {

TEST(WindowEqual, WhateverHappensTheFileHoldsWhatApplyMakesOfIt) {
  WindowWorld::Seen all;
  const char* one = std::getenv("EVS_SEED");
  const uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1, count = one != nullptr ? 1 : std::getenv("EVS_LONG") != nullptr ? 500 : 12;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("EVS_SEED=" + std::to_string(seed));
    WindowWorld world(seed);
    world.run(6000);
    if (HasFailure()) return;
    const auto add = [](uint64_t& sum, uint64_t more) { sum += more; };
    add(all.windows, world.seen.windows);
    add(all.deliveries, world.seen.deliveries);
    add(all.configurations, world.seen.configurations);
    add(all.endings, world.seen.endings);
    add(all.obligations, world.seen.obligations);
    add(all.kills, world.seen.kills);
    add(all.begun, world.seen.begun);
    add(all.transitional, world.seen.transitional);
    add(all.chains, world.seen.chains);
  }
  if (one != nullptr) return;
  EXPECT_GT(all.windows, 1000u);
  EXPECT_GT(all.deliveries, 1000u);
  EXPECT_GT(all.configurations, 50u);
  EXPECT_GT(all.endings, 50u);
  EXPECT_GT(all.obligations, 10u);
  EXPECT_GT(all.kills, 20u);
  EXPECT_GT(all.begun, 100u) << "messages whose first frames are forgotten";
  EXPECT_GT(all.transitional, 10u) << "deliveries in a transitional configuration";
  EXPECT_GT(all.chains, 100u) << "frames that take several slots";
  if (std::getenv("EVS_TELL") != nullptr)
    std::printf("windows %lu deliveries %lu configurations %lu endings %lu obligations %lu kills %lu begun %lu transitional %lu chains %lu\n", all.windows,
                all.deliveries, all.configurations, all.endings, all.obligations, all.kills, all.begun, all.transitional, all.chains);
}

}  // namespace
}  // namespace evs::runtime::uplink
