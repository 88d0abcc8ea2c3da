// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/status_lines.h - lines that an operator reads and an exporter counts: one name, one value (status_file.h). A name says its unit, or _total of what only rises.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evs::runtime::uplink {

class StatusLines {
 public:
  StatusLines() { text_.reserve(kUsualBytes); }
  void add(std::string_view name, std::string_view value) { text_.append("evs_uplink_").append(name).append(" ").append(value).append("\n"); }
  void add(std::string_view name, const char* value) { add(name, std::string_view(value)); }
  void add(std::string_view name, uint64_t value) { add(name, std::string_view(std::to_string(value))); }
  // Which process tells, so that a killed one is known as such when another process has its pid.
  void add_teller(bool stands);
  // Sentences, the gravest first: problem_1, problem_2, ...
  void add_problems(const std::vector<std::string>& problems) {
    for (size_t i = 0; i < problems.size(); ++i) add("problem_" + std::to_string(i + 1), std::string_view(problems[i]));
  }
  const std::string& text() const { return text_; }

 private:
  static constexpr size_t kUsualBytes = 4096;

  std::string text_;
};

}  // namespace evs::runtime::uplink
