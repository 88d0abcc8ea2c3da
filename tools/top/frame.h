// SPDX-License-Identifier: BSD-3-Clause
// tools/top/frame.h - what evs-top knows of a bus at one moment: one look at this host's files, one scrape, or one line of a recording.
//
// Plain values, so that whatever is shown is a pure function of them. Of this host there are details: processes, handles, groups. A remote exporter tells
// none of that, on purpose (metrics/table.h): there `detail` is empty and the views show what its series have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/snapshot.h"
#include "tools/top/series.h"

namespace evs::top {

// A file of evs that a process of the bus has loaded: the library, or a plugin.
struct Loaded {
  std::string path;
  bool replaced = false;  // another file is at that path by now, or none: the process runs what was there before
  std::vector<int32_t> pids;
  friend bool operator==(const Loaded&, const Loaded&) = default;
};

struct Frame {
  uint64_t unix_ns = 0;       // when, for people
  uint64_t monotonic_ns = 0;  // for what is between two of them
  std::string source;         // the exporter's address; empty: this host
  std::string bus, directory;
  Families families;  // of this bus alone, its name and directory not among the labels
  std::optional<metrics::Snapshot> detail;
  std::string undetailed;  // of this host: why there is no detail, a sentence
  std::vector<Loaded> loaded;
};

}  // namespace evs::top
