// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/hello_sample.h - a hello, and its bytes as docs/wire-format.md draws them.
#pragma once

#include "bus/runtime/uplink/hello.h"

namespace evs::runtime::uplink {

inline Hello sample_hello() { return {.to_all = true, .large = false, .large_sent = 5, .heard = {{3, true, true}, {7, false, false}}}; }
inline constexpr const char* kSampleHelloHex = "65767368010002000500000003003000" "07000000";

}  // namespace evs::runtime::uplink
