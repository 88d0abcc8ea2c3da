// SPDX-License-Identifier: BSD-3-Clause
// tools/top/ui.cc - see ui.h.
#include "tools/top/ui.h"

#include <algorithm>
#include <iterator>

namespace evs::top {
namespace {

constexpr std::string_view kViewNames[] = {"processes", "handles", "groups", "ring", "memberships", "latency", "plugins"};
static_assert(std::size(kViewNames) == kViews, "every view has a name");

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kIntervals[] = {100 * kMs, 200 * kMs, 500 * kMs, 1000 * kMs, 2000 * kMs, 5000 * kMs, 10'000 * kMs, 30'000 * kMs, 60'000 * kMs};
constexpr size_t kMostFilterBytes = 64;

void show(Ui& ui, size_t view) {
  ui.view = static_cast<View>(view % kViews);
  ui.scroll = 0;
}

// The next longer or shorter one, from wherever the command line has begun.
void slower(Ui& ui) {
  const auto next = std::upper_bound(std::begin(kIntervals), std::end(kIntervals), ui.interval_ns);
  if (next != std::end(kIntervals)) ui.interval_ns = *next;
}
void faster(Ui& ui) {
  const auto at = std::lower_bound(std::begin(kIntervals), std::end(kIntervals), ui.interval_ns);
  if (at != std::begin(kIntervals)) ui.interval_ns = *std::prev(at);
}

void type(Ui& ui, int key) {
  if (key == kKeyEnter || key == '\r') ui.prompting = false;
  else if (key == kKeyEscape) ui.prompting = false, ui.filter.clear();
  else if (key == kKeyBackspace || key == 127 || key == 8) {
    // A character of UTF-8 goes whole.
    while (!ui.filter.empty() && (static_cast<unsigned char>(ui.filter.back()) & 0xc0) == 0x80) ui.filter.pop_back();
    if (!ui.filter.empty()) ui.filter.pop_back();
  } else if (key >= 0x20 && key <= 0xff && key != 127 && ui.filter.size() < kMostFilterBytes) {
    ui.filter += static_cast<char>(key);  // bytes, as the terminal sends them
  }
  ui.scroll = 0;
}

void scroll_by(Ui& ui, int64_t rows, const Shown& shown) {
  const auto last = static_cast<int64_t>(shown.rows - std::min(shown.rows, shown.page));
  ui.scroll = static_cast<size_t>(std::clamp<int64_t>(static_cast<int64_t>(ui.scroll) + rows, 0, last));
}

}  // namespace

std::string_view name_of(View view) { return kViewNames[static_cast<size_t>(view)]; }

std::optional<View> view_named(std::string_view name) {
  const auto found = std::find(std::begin(kViewNames), std::end(kViewNames), name);
  if (found == std::end(kViewNames)) return std::nullopt;
  return static_cast<View>(found - std::begin(kViewNames));
}

void press(Ui& ui, int key, const Shown& shown) {
  if (ui.prompting) return type(ui, key);
  if (ui.help) {  // whatever is pressed: it was read
    ui.help = false;
    if (key != 'q') return;
  }
  const auto page = static_cast<int64_t>(shown.page), all = static_cast<int64_t>(shown.rows);
  switch (key) {
    case 'q': case 'Q': ui.quit = true; break;
    case '?': case 'h': ui.help = true; break;
    case '\t': case kKeyRight: show(ui, ui.at() + 1); break;
    case kKeyBackTab: case kKeyLeft: show(ui, ui.at() + kViews - 1); break;
    case 's': {
      size_t& by = ui.sorted[ui.at()];
      by = by == kUnsorted ? 0 : by + 1;
      if (by >= shown.columns) by = kUnsorted;
      break;
    }
    case 'r': ui.reversed[ui.at()] = !ui.reversed[ui.at()]; break;
    case '/': ui.prompting = true; break;
    case kKeyEscape: ui.filter.clear(); break;
    case 'p': case ' ': ui.paused = !ui.paused; break;
    case '.': ui.paused = ui.step = true; break;
    case '+': slower(ui); break;
    case '-': faster(ui); break;
    case 't': ui.totals = !ui.totals; break;
    case kKeyUp: case 'k': scroll_by(ui, -1, shown); break;
    case kKeyDown: case 'j': scroll_by(ui, 1, shown); break;
    case kKeyPageUp: scroll_by(ui, -page, shown); break;
    case kKeyPageDown: scroll_by(ui, page, shown); break;
    case kKeyHome: case 'g': scroll_by(ui, -all, shown); break;
    case kKeyEnd: case 'G': scroll_by(ui, all, shown); break;
    default:
      if (key >= '1' && key < '1' + static_cast<int>(kViews)) show(ui, static_cast<size_t>(key - '1'));
  }
}

}  // namespace evs::top
