// SPDX-License-Identifier: BSD-3-Clause
// tools/top/ui.h - what whoever looks has chosen, and what a key does to it. Pure: a state and a key, the next state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evs::top {

enum class View : uint8_t { processes, handles, groups, ring, memberships, latency, plugins, count_ };
inline constexpr size_t kViews = static_cast<size_t>(View::count_);
std::string_view name_of(View view);
std::optional<View> view_named(std::string_view name);

inline constexpr size_t kUnsorted = SIZE_MAX;  // as the view has its rows

struct Ui {
  View view = View::processes;
  std::array<size_t, kViews> sorted{};  // by which column; see Ui()
  std::array<bool, kViews> reversed{};
  std::string filter;
  bool totals = false;  // since each began, in place of a second
  bool paused = false;
  bool help = false;
  bool ascii = false;  // no line or block characters: the terminal has no UTF-8
  bool prompting = false;  // the filter is being typed
  size_t scroll = 0;
  uint64_t interval_ns = 1'000'000'000;
  bool quit = false;
  bool step = false;  // one frame, although it is paused

  Ui() { sorted.fill(kUnsorted); }
  size_t at() const { return static_cast<size_t>(view); }
};

// Keys that are no character.
enum Key : int { kKeyUp = 0x110000, kKeyDown, kKeyLeft, kKeyRight, kKeyPageUp, kKeyPageDown, kKeyHome, kKeyEnd, kKeyBackspace, kKeyBackTab };
inline constexpr int kKeyEscape = 27, kKeyEnter = '\n';

// What is on the screen.
struct Shown {
  size_t columns = 0, rows = 0;
  size_t page = 0;  // rows that fit
};
void press(Ui& ui, int key, const Shown& shown);

}  // namespace evs::top
