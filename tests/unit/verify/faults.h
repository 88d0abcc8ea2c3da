// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/faults.h - what can be wrong with a run, each with the predicate that should say so.
//
// Not every fault matters: to drop what nobody else delivered breaks no promise. Each kind chooses a place where it
// does, or says that a run has none.
#pragma once

#include <random>
#include <span>

#include "tools/verify/index.h"

namespace evs::verify {

struct Fault {
  const char* name;
  bool (*plant)(Run& run, const Index& index, std::mt19937_64& random);  // false: no place for it
  const char* predicate;
};

std::span<const Fault> faults();

}  // namespace evs::verify
