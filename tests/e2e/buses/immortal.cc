// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/immortal.cc - mortal.h for a process with the library as it is shipped, which tells nobody of its stores.
#include <unistd.h>

#include <cstdio>

#include "tests/e2e/buses/mortal.h"

namespace evs::test {

void die_at(uint64_t, const std::string&) {
  fprintf(stderr, "member: only evs-test-mortal can die at a store\n");
  _exit(2);
}

void plant(unsigned) { die_at(0, {}); }

}  // namespace evs::test
