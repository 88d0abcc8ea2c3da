// SPDX-License-Identifier: BSD-3-Clause
// tools/top/terminal.h - a screen of ncurses, and its keys: all of evs-top that knows a terminal's ways.
#pragma once

#include <cstddef>
#include <optional>

#include "tools/top/layout.h"

namespace evs::top {

class Terminal {
 public:
  Terminal();
  ~Terminal();  // the terminal is as it was
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool usable() const { return screen_ != nullptr; }  // false: TERM is not known
  size_t width() const;
  size_t height() const;
  bool ascii() const { return ascii_; }  // no UTF-8 here
  void show(const Screen& screen);
  // What was pressed (Key, or a character's bytes one by one); empty: nothing waits. A changed size is no key, and seen by the next width().
  std::optional<int> key();

 private:
  void* screen_ = nullptr;
  bool ascii_ = false, colours_ = false;
};

}  // namespace evs::top
