// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/trace_text.h - a trace as text: one file an incarnation, one event a line (docs/trace-format.md).
//
// The reader takes all of a file or nothing, and refuses in one sentence that names file, line and reason. What it
// reads may be anything: lines, lists, names and events have bounds. Keys that it does not know are skipped, so that a
// writer may say more than the checker asks for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tools/verify/trace.h"

namespace evs::verify {

inline constexpr std::string_view kTraceHead = "evs-trace 1";

inline constexpr size_t kLineBytesMax =
    256 * 1024;  // three lists of members, each number with its comma, and room to spare
inline constexpr size_t kMembersMax = 4096;
inline constexpr size_t kNameBytesMax = 64;
inline constexpr size_t kEventsMax = 20'000'000;  // a trace; some 1.5 GB in memory
static_assert(3 * kMembersMax * 11 < kLineBytesMax, "the longest configuration fits into a line");

// One event as its line, without the newline; also what a violation shows.
std::string event_text(const Run& run, const Trace& trace, const Event& event);
std::string trace_text(const Run& run, const Trace& trace);

// Adds a trace to `run`; on refusal false, a sentence in `reason`, and no trace added.
bool read_trace(std::string_view text, std::string_view name, Run& run, std::string& reason);

}  // namespace evs::verify
