// SPDX-License-Identifier: BSD-3-Clause
// tools/top/exposition.h - Prometheus's text format 0.0.4, as an exporter says it, to series.
//
// Whatever the far end sends is input: it is taken whole, or refused with its line and a sentence. All of it has bounds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tools/top/series.h"

namespace evs::top {

inline constexpr size_t kMostTextBytes = 8 << 20;   // an exporter of 64 buses says some 200 KiB
inline constexpr size_t kMostSeries = 20'000;       // 64 buses have some 6,000, and a bucket is one
inline constexpr size_t kMostLineBytes = 16 << 10;
inline constexpr size_t kMostLabels = 32;           // of a series

// False: `failure` begins with "line N: ".
bool parse_exposition(std::string_view text, Families& out, std::string& failure);
// The same again, for tests: what it parses to is the same families.
std::string write_exposition(const Families& families);

}  // namespace evs::top
