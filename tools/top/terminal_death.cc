// SPDX-License-Identifier: BSD-3-Clause
// tools/top/terminal_death.cc - see terminal_death.h. A file of its own: <term.h> has macros with everyday names.
#include "tools/top/terminal_death.h"

#include <curses.h>
#include <signal.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include <string>

namespace evs::top {
namespace {

// Made before; what the handler calls may be called in one.
constexpr int kDeadly[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT};
termios plain_terminal;
std::string plain_words;

void die_in_order(int number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &plain_terminal);
  static_cast<void>(!write(STDOUT_FILENO, plain_words.data(), plain_words.size()));
  raise(number);  // SA_RESETHAND: now it kills
}

}  // namespace

TerminalDeath::TerminalDeath() { known_ = tcgetattr(STDIN_FILENO, &plain_terminal) == 0; }

void TerminalDeath::expect() const {
  if (!known_) return;
  for (const char* capability : {"sgr0", "cnorm", "rmcup", "rmkx"})
    if (const char* text = tigetstr(const_cast<char*>(capability)); text != nullptr && text != reinterpret_cast<char*>(-1)) plain_words += text;
  struct sigaction action {};
  action.sa_handler = die_in_order;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int number : kDeadly) sigaction(number, &action, nullptr);
}

}  // namespace evs::top
