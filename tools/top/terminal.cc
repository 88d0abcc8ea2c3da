// SPDX-License-Identifier: BSD-3-Clause
// tools/top/terminal.cc - see terminal.h.
#include "tools/top/terminal.h"

#include <curses.h>
#include <langinfo.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "tools/top/terminal_death.h"

namespace evs::top {
namespace {

constexpr short kColours[] = {-1, -1, -1, COLOR_GREEN, COLOR_YELLOW, COLOR_RED, COLOR_CYAN};  // by tone; -1: the terminal's own
constexpr int kEscapeMs = 25;  // a lone Esc is told from a key that begins with it

attr_t attributes_of(const Span& span, bool colours) {
  attr_t attributes = span.inverse ? A_REVERSE : A_NORMAL;
  if (span.tone == Tone::bold) attributes |= A_BOLD;
  if (span.tone == Tone::dim) attributes |= A_DIM;
  if (span.tone == Tone::bad) attributes |= A_BOLD;
  if (colours && kColours[static_cast<size_t>(span.tone)] >= 0) attributes |= COLOR_PAIR(static_cast<int>(span.tone));
  return attributes;
}

bool wants_colours() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

int translated(int key) {
  switch (key) {
    case KEY_UP: return kKeyUp;
    case KEY_DOWN: return kKeyDown;
    case KEY_LEFT: return kKeyLeft;
    case KEY_RIGHT: return kKeyRight;
    case KEY_PPAGE: return kKeyPageUp;
    case KEY_NPAGE: return kKeyPageDown;
    case KEY_HOME: return kKeyHome;
    case KEY_END: return kKeyEnd;
    case KEY_BACKSPACE: return kKeyBackspace;
    case KEY_BTAB: return kKeyBackTab;
    case KEY_ENTER: return kKeyEnter;
    default: return key;
  }
}

}  // namespace

Terminal::Terminal() {
  std::setlocale(LC_ALL, "");
  std::setlocale(LC_NUMERIC, "C");
  ascii_ = std::string_view(nl_langinfo(CODESET)) != "UTF-8";
  set_escdelay(kEscapeMs);
  const TerminalDeath death;
  screen_ = newterm(nullptr, stdout, stdin);
  if (screen_ == nullptr) return;
  death.expect();
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  curs_set(0);
  colours_ = wants_colours() && has_colors() && start_color() == OK && use_default_colors() == OK;
  for (short tone = 1; colours_ && tone < static_cast<short>(std::size(kColours)); ++tone) init_pair(tone, kColours[tone], -1);
}

Terminal::~Terminal() {
  if (screen_ == nullptr) return;
  endwin();
  delscreen(static_cast<SCREEN*>(screen_));
}

size_t Terminal::width() const { return static_cast<size_t>(getmaxx(stdscr)); }
size_t Terminal::height() const { return static_cast<size_t>(getmaxy(stdscr)); }

void Terminal::show(const Screen& screen) {
  erase();
  for (size_t line = 0; line < screen.size(); ++line) {
    move(static_cast<int>(line), 0);
    for (const Span& span : screen[line]) {
      attrset(static_cast<int>(attributes_of(span, colours_)));
      addstr(span.text.c_str());
    }
  }
  attrset(A_NORMAL);
  refresh();
}

std::optional<int> Terminal::key() {
  for (;;) {
    const int key = getch();
    if (key == ERR) return std::nullopt;
    if (key != KEY_RESIZE) return translated(key);
  }
}

}  // namespace evs::top
