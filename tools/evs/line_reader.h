// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/line_reader.h - bytes in, lines out, within a bound.
//
// A line is what stands before a newline, the last one also without. The reader holds at most one read beyond the
// longest line it allows, so an endless line on stdin is an error and not an endless allocation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace evs::tools {

class LineReader {
 public:
  explicit LineReader(size_t longest_line) : longest_line_(longest_line) {}

  void feed(std::string_view bytes) {
    buffer_.erase(0, taken_);
    scanned_ -= taken_;
    if (line_end_ != kNone) line_end_ -= taken_;
    taken_ = 0;
    buffer_ += bytes;
  }
  void end_of_input() { ended_ = true; }

  // The next whole line, valid until the next feed(); it stays the next one until take().
  std::optional<std::string_view> peek() {
    if (line_end_ == kNone) {
      const size_t newline = buffer_.find('\n', scanned_);
      if (newline != std::string::npos) {
        line_end_ = newline;
      } else if (ended_ && taken_ < buffer_.size()) {
        line_end_ = buffer_.size();
      } else {
        scanned_ = buffer_.size();  // what was searched once holds no newline
        return std::nullopt;
      }
    }
    return std::string_view(buffer_).substr(taken_, line_end_ - taken_);
  }

  void take() {
    taken_ = line_end_ < buffer_.size() ? line_end_ + 1 : line_end_;
    scanned_ = taken_;
    line_end_ = kNone;
    ++lines_;
  }

  // The line that is being read is longer than allowed, whether its end was seen or not.
  bool too_long() {
    const auto line = peek();
    return (line ? line->size() : buffer_.size() - taken_) > longest_line_;
  }

  size_t lines_taken() const { return lines_; }
  bool ended() const { return ended_; }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  size_t longest_line_;
  std::string buffer_;
  size_t taken_ = 0;    // bytes at the front that were handed out
  size_t scanned_ = 0;  // no newline in [taken_, scanned_)
  size_t line_end_ = kNone;
  size_t lines_ = 0;
  bool ended_ = false;
};

}  // namespace evs::tools
