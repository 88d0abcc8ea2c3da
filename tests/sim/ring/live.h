// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/live.h - runs about progress: what must happen, and within which virtual time. Each prints what it measured.
#pragma once

#include <cstdint>
#include <string>

namespace evs::sim {

bool form(uint32_t hosts);                 // that many begin at once, without faults
bool silent_merge();                       // L4: rings that have nothing to say find each other
bool live_with(const std::string& nuisance);  // L3: one host flaps, is deaf or mute from beginning to end

}  // namespace evs::sim
