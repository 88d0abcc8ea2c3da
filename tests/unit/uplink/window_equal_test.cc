// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/window_equal_test.cc - a window file holds what ordering::apply() makes of the same effects, each time.
#include "tests/unit/uplink/window_world.h"

namespace evs::runtime::uplink {
namespace {

// Steps that append are prepared and committed, some of them after they were abandoned; and who is killed may leave one that is prepared.
void in_two_parts(WindowWorld& world, test::Dice& dice, uint64_t& abandoned) {
  world.take = [&](WindowWorld::File& file, const std::string&, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) {
    if (!appends(effect)) return file->take(effect, out, protocol);
    if (dice.one_in(4)) {
      const ordering::StoredState before = file->load();
      if (shm::Status s = file->prepare(effect, out, protocol); !s.ok()) return s;
      if (dice.one_in(2)) file->claimed(64);
      file->abandon();
      EXPECT_EQ(difference(file->load(), before), "") << "what was abandoned never was";
      ++abandoned;
    }
    return take_with_record(*file, 128, effect, out, protocol);
  };
  world.dies_in_appends = dice.one_in(2);
  world.dying = [&](WindowFile& file, const Effect& effect, const ordering::Output& out, const ordering::Protocol& protocol) -> std::optional<bool> {
    if (!appends(effect) || dice.one_in(4)) return std::nullopt;
    EXPECT_TRUE(file.prepare(effect, out, protocol).ok());
    if (dice.one_in(4)) return false;
    file.claimed(64);
    return !dice.one_in(3);
  };
}

TEST(WindowEqual, WhateverHappensTheFileHoldsWhatApplyMakesOfIt) {
  WindowWorld::Seen all;
  uint64_t abandoned = 0;
  const char* one = std::getenv("EVS_SEED");
  const uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1, count = one != nullptr ? 1 : std::getenv("EVS_LONG") != nullptr ? 500 : 12;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("EVS_SEED=" + std::to_string(seed));
    WindowWorld world(seed);
    test::Dice dice(seed + 1000);
    if (seed % 3 != 0) in_two_parts(world, dice, abandoned);
    world.run(6000);
    if (HasFailure()) return;
    const auto add = [](uint64_t& sum, uint64_t more) { sum += more; };
    add(all.windows, world.seen.windows);
    add(all.deliveries, world.seen.deliveries);
    add(all.configurations, world.seen.configurations);
    add(all.endings, world.seen.endings);
    add(all.obligations, world.seen.obligations);
    add(all.kills, world.seen.kills);
    add(all.finished, world.seen.finished);
    add(all.voided, world.seen.voided);
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
  EXPECT_GT(abandoned, 500u);
  EXPECT_GT(all.finished, 5u) << "steps of the dead that have their record";
  EXPECT_GT(all.voided, 5u) << "and that have none";
  EXPECT_GT(all.begun, 100u) << "messages whose first frames are forgotten";
  EXPECT_GT(all.transitional, 10u) << "deliveries in a transitional configuration";
  EXPECT_GT(all.chains, 100u) << "frames that take several slots";
  if (std::getenv("EVS_TELL") != nullptr)
    std::printf("windows %lu deliveries %lu configurations %lu endings %lu obligations %lu kills %lu finished %lu voided %lu abandoned %lu begun %lu "
                "transitional %lu chains %lu\n",
                all.windows, all.deliveries, all.configurations, all.endings, all.obligations, all.kills, all.finished, all.voided, abandoned, all.begun,
                all.transitional, all.chains);
}

}  // namespace
}  // namespace evs::runtime::uplink
