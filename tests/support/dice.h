// SPDX-License-Identifier: BSD-3-Clause
// tests/support/dice.h - the one source of chance in tests: one seed, one sequence, on every machine.
//
// No std::uniform_int_distribution: it is not the same everywhere.
#pragma once

#include <cstdint>

namespace evs::test {

// A bijection in which each bit of the argument changes about half of the result's: for hashes and for what a number should hide.
inline uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

class Dice {  // SplitMix64 (Steele, Lea, Flood 2014)
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ull); }
  uint64_t below(uint64_t n) { return n == 0 ? 0 : next() % n; }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  bool one_in(uint64_t n) { return below(n) == 0; }
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < p; }

 private:
  uint64_t state_;
};

}  // namespace evs::test
