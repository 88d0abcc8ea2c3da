// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/planted.h - rules of the gateway that can be left out, so that tests show that they would be missed (bus/ordering/mutant.h has those of the ring).
//
// In libevs each of these is the constant false, and nothing of it remains. The traced variant of this library, for tests alone, is told which one.
#pragma once

#include <cstdint>

namespace evs::runtime::uplink {

enum class Planted : uint8_t {
  none,
  stamps_not_kept,        // what has its place is not stored: a successor says it again, and gives the places that its predecessor gave to other messages
  expelled_not_gone,      // who is expelled as a reader is no member of the order ring any more, and nobody says so: it comes back as who it was
};

#ifdef EVS_WINDOW_TRACE
extern Planted g_planted;
inline bool planted(Planted rule) { return g_planted == rule; }
#else
constexpr bool planted(Planted) { return false; }
#endif

}  // namespace evs::runtime::uplink
