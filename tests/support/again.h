// SPDX-License-Identifier: BSD-3-Clause
// tests/support/again.h - does an encoder say again what its decoder has taken, and does a decoder leave nothing behind of what it refused?
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace evs::test {

struct Again {
  bool taken = false;
  bool consistent = true;
};

// take(bytes, said): was it taken? say(said, out): was it encoded? same(a, b).
template <typename Said, typename Take, typename Say, typename Same>
Again again_as(std::span<const std::byte> bytes, Take take, Say say, Same same) {
  Said said;
  if (!take(bytes, said)) return {false, same(said, Said{})};
  std::vector<std::byte> out;
  const bool encoded = say(said, out);
  return {true, encoded && std::equal(bytes.begin(), bytes.end(), out.begin(), out.end())};
}

}  // namespace evs::test
