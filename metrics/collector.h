// SPDX-License-Identifier: BSD-3-Clause
// metrics/collector.h - takes a snapshot of a bus from the files that its members share.
//
// Read-only, without a lock and without joining: it works while every member hangs, and no member notices. Who may read
// the files may look.
#pragma once

#include <string>

#include "metrics/snapshot.h"

namespace evs::metrics {

enum class Collected : uint8_t {
  taken,
  no_bus,  // there is none of that name in that directory
  failed,  // there is something, and it cannot be read
};

// `directory` and `group` as configured: an empty directory means the usual one. Other than `taken`: `failure` is a
// sentence.
Collected collect(const std::string& directory, const std::string& group, const std::string& bus, Snapshot& out,
                  std::string& failure);

}  // namespace evs::metrics
