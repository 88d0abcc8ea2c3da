// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/report.h - the comparison's tables, row by row as they are measured, and the same as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/cpg/rows.h"

namespace evs::bench {

class Report {
 public:
  // Prints the settings.
  Report(const Plan& plan, const std::string& corosync_version, const std::vector<std::string>& evs_parameters);
  void begin_rates(bool sealed) const;
  void add(const RateRow& row);
  void add(const std::vector<LatencyRow>& rows, bool sealed);
  bool write_json(const std::string& path) const;

 private:
  nlohmann::json all_;
};

}  // namespace evs::bench
