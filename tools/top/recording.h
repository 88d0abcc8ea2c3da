// SPDX-License-Identifier: BSD-3-Clause
// tools/top/recording.h - frames as JSON, one a line: what --json prints and --record writes, and --replay reads again.
//
// A recording begins with a line of its own, by which a file of something else, and one of a later evs-top, is told. Names that are not known are passed over. What
// "status" holds is what `evs status --json` prints, and is written by the same code.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "tools/top/frame.h"
#include "tools/top/health.h"

namespace evs::top {

inline constexpr size_t kMostFrameBytes = 16 << 20;  // a full segment, 1024 members with some handles and groups each, has 3 MiB

std::string recording_header();
// Empty: it is one that this version reads. Otherwise a sentence.
std::string judge_header(std::string_view line);

// With a newline. "findings" is what --check says of it: it is read by others, not by read_frame.
std::string write_frame(const Frame& frame, const Thresholds& thresholds = {});
// False: `failure` is a sentence that names what is wrong.
bool read_frame(std::string_view line, Frame& out, std::string& failure);

// Reads a recording, a line at a time. Sentences name the file and the line.
class Recording {
 public:
  enum class Next { frame, end, failed };
  bool open(const std::string& path, std::string& failure);
  Next next(Frame& out, std::string& failure);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Next line(std::string& out, std::string& failure);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  size_t number_ = 0;
};

}  // namespace evs::top
