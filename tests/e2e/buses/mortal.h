// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/mortal.h - a process that ends at a store of its gateway, at which one is said beforehand.
//
// Linked with evs_core_traced, whose gateway says of each of its stores that it is done (window_memory.h, moment.h). What is left behind is then exactly
// what those stores have left: SIGKILL from within waits for nothing.
#pragma once

#include <cstdint>
#include <string>

namespace evs::test {

// At the `count`th store from here on of this name, or, without one, of all; 0: never. Says "died NAME" on standard output before.
void die_at(uint64_t count, const std::string& name);

// Leaves out that rule of the gateway (planted.h), by its number.
void plant(unsigned rule);

}  // namespace evs::test
