// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/moment.h - where a gateway may be killed, by name: what stands before it is done, what stands behind it is not.
//
// Beside the stores of the window file, which tell themselves (window_memory.h): what goes into the two rings and onto the board. The variant of this library
// that tests link calls them (tests/e2e/buses/mortal.h); in libevs nothing of it remains.
#pragma once

namespace evs::runtime::uplink {

#ifdef EVS_WINDOW_TRACE
extern "C" void evs_gateway_moment(const char* name);
#else
inline void evs_gateway_moment(const char*) {}
#endif

}  // namespace evs::runtime::uplink
