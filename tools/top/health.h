// SPDX-License-Identifier: BSD-3-Clause
// tools/top/health.h - what is wrong with a bus, as one look at it tells: for the line on top of the screen, and for monitoring (--check).
//
// Each finding says whom it concerns. The exit codes are those of Nagios's plugins, which every monitoring system knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/top/frame.h"

namespace evs::top {

enum class Grade : uint8_t { ok, warning, critical, unknown };  // their numbers are the exit codes
std::string_view name_of(Grade grade);                          // "OK", "WARNING"

struct Finding {
  Grade grade = Grade::ok;
  std::string words;
};

struct Thresholds {
  uint32_t ring_warning_percent = 80, ring_critical_percent = 95;
};

std::vector<Finding> judge(const Frame& frame, const Thresholds& thresholds);  // the worst first
Grade worst_of(const std::vector<Finding>& findings);

// "EVS CRITICAL - bus default: ... | processes=2 hung=1 ring=0.1%;80;95", a line.
std::string check_line(const Frame& frame, const std::vector<Finding>& findings, const Thresholds& thresholds);

}  // namespace evs::top
