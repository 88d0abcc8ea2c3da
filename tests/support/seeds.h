// SPDX-License-Identifier: BSD-3-Clause
// tests/support/seeds.h - a story for each of many seeds: 400, with EVS_LONG 20,000, or the one of EVS_SEED. It ends with the first that fails, which is named.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace evs::test {

// `Drawn` is made from the seed.
template <typename Drawn, typename Story>
void for_each_seed(Story&& story) {
  const char* one = std::getenv("EVS_SEED");
  const uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const uint64_t count = one != nullptr ? 1 : std::getenv("EVS_LONG") != nullptr ? 20000 : 400;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("EVS_SEED=" + std::to_string(seed));
    Drawn drawn(seed);
    story(drawn);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace evs::test
