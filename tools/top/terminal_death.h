// SPDX-License-Identifier: BSD-3-Clause
// tools/top/terminal_death.h - a deadly signal leaves a plain terminal behind: a mapped file that is cut short, of a bus that somebody damages, ends us with SIGBUS.
#pragma once

namespace evs::top {

class TerminalDeath {
 public:
  TerminalDeath();      // before the terminal is changed: remembers how it is
  void expect() const;  // once ncurses knows the terminal

 private:
  bool known_ = false;
};

}  // namespace evs::top
