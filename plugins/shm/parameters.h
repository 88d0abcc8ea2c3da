// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/parameters.h - what the shm transport can be told.
#pragma once

#include <string>

#include "evs/plugin.h"
#include "shm/histogram.h"
#include "shm/segment.h"

namespace evs::plugin_shm {

struct Parameters {
  std::string directory;      // empty: /dev/shm/evs-<uid>
  std::string group;          // empty: the owner alone
  std::string metrics_group;  // reads the counters
  shm::SegmentShape shape;
  uint64_t slow_reader_timeout_ns = 10'000'000'000;
  uint64_t stalled_writer_timeout_ns = 0;  // 0: wait for it
  uint64_t attach_timeout_ns = 5'000'000'000;
  uint64_t spin_ns = 20'000;
  uint32_t sample = 10;  // power of two
  bool histograms = true;
  shm::Sampling sampling() const { return shm::Sampling::when(histograms, sample); }
};

shm::Status read_parameters(const evs_plugin_parameter* parameters, size_t count, Parameters& out);
const evs_params_extension* parameter_table();

}  // namespace evs::plugin_shm
