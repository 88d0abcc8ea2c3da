// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/progress.cc - see progress.h.
#include "tools/evs/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace evs::tools {

namespace {

constexpr uint64_t kWorthIt_ns = 2'000'000'000;

}  // namespace

Progress::Progress(uint64_t planned_ns, bool forced)
    : planned_ns_(planned_ns), terminal_(isatty(STDERR_FILENO) == 1), next_line_ns_(kWorthIt_ns) {
  shown_ = planned_ns > kWorthIt_ns && (terminal_ || forced);
}

void Progress::show(const std::string& what, uint64_t done_ns) {
  if (!shown_) return;
  const uint64_t percent = std::min<uint64_t>(100, done_ns * 100 / std::max<uint64_t>(1, planned_ns_));
  const double seconds = static_cast<double>(done_ns) / 1e9, planned = static_cast<double>(planned_ns_) / 1e9;
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%3u %% (%.0f of %.0f s)  %s", static_cast<unsigned>(percent), seconds, planned,
                 what.c_str());
    dirty_ = true;
  } else if (done_ns >= next_line_ns_) {
    std::fprintf(stderr, "%3u %% (%.0f of %.0f s)  %s\n", static_cast<unsigned>(percent), seconds, planned,
                 what.c_str());
    next_line_ns_ = done_ns + kWorthIt_ns;
  }
}

void Progress::clear() {
  if (dirty_) std::fputs("\r\x1b[K", stderr);
  dirty_ = false;
}

}  // namespace evs::tools
