// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/progress.h - a sign of life on stderr for what takes longer than two seconds.
//
// On a terminal one line that is written over; elsewhere, when asked for, a line every two seconds. Results go to
// stdout and are never mixed with it.
#pragma once

#include <cstdint>
#include <string>

namespace evs::tools {

class Progress {
 public:
  // `planned_ns` is how long the whole will take, `forced` shows it where stderr is no terminal.
  Progress(uint64_t planned_ns, bool forced);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& what, uint64_t done_ns);
  void clear();  // before something else is printed

 private:
  uint64_t planned_ns_;
  bool shown_;
  bool terminal_;
  bool dirty_ = false;
  uint64_t next_line_ns_;
};

}  // namespace evs::tools
