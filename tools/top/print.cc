// SPDX-License-Identifier: BSD-3-Clause
// tools/top/print.cc - see print.h.
#include "tools/top/print.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "tools/evs/exit_code.h"
#include "tools/evs/output.h"
#include "tools/evs/text.h"
#include "tools/top/layout.h"
#include "tools/top/recording.h"
#include "tools/top/svg.h"
#include "tools/top/views.h"

namespace evs::top {
namespace {

constexpr size_t kUsualWidth = 80;

size_t width_of_output(const Options& options) {
  if (options.width != 0) return options.width;
  winsize size{};
  const bool terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return terminal ? size.ws_col : kUsualWidth;
}

std::string painted(const Screen& screen, const tools::Palette& palette) {
  constexpr tools::Paint kPaints[] = {tools::Paint::plain, tools::Paint::bold, tools::Paint::dim, tools::Paint::green, tools::Paint::yellow, tools::Paint::red, tools::Paint::plain};
  std::string out;
  for (const Line& line : screen) {
    std::string text;
    for (const Span& span : line) text += palette(kPaints[static_cast<size_t>(span.tone)], span.text);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

bool same(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

class Printer {
 public:
  Printer(const Options& options, Watcher& watcher, tools::LeaveSignals& signals) : options_(options), watcher_(watcher), signals_(signals) {}

  int run() {
    if (options_.check) return check();
    for (uint64_t looks = 1;; ++looks) {
      const Got got = watcher_.look();
      if (got == Got::end) return at_end();
      if (got == Got::broken || (got != Got::frame && looks == 1)) return refuse(watcher_.error(), exit_status(got));
      if (got != Got::frame) std::fprintf(stderr, "evs-top: %s\n", watcher_.error().c_str());
      if (!chosen_ && watcher_.model().has_frame()) {
        std::string failure;
        if (!choose(options_, watcher_.model(), ui_, failure)) return refuse(failure, tools::kExitUsage);
        chosen_ = true;
      }
      if (got == Got::frame)
        if (const int status = show(); status != tools::kExitOk) return status;
      if (looks == wanted_looks()) return at_end();
      if (!watcher_.replays() && !wait()) return tools::kExitOk;
    }
  }

 private:
  bool streams() const { return options_.json || options_.csv; }
  // Of a recording all of it, unless somebody said how much. A rate is between two looks.
  uint64_t wanted_looks() const {
    if (options_.count != 0) return options_.count;
    if (watcher_.replays()) return 0;
    if (streams()) return options_.once ? 1 : 0;
    return options_.totals ? 1 : 2;
  }

  int refuse(const std::string& sentence, int status) {
    std::fprintf(stderr, "evs-top: %s\n", sentence.c_str());
    return status;
  }

  // What is printed at each look.
  int show() {
    if (options_.json && !(options_.once && watcher_.replays())) return tools::print(write_frame(watcher_.model().frame(), options_.thresholds));
    if (options_.csv && !(options_.once && watcher_.replays())) return tools::print(csv());
    return tools::kExitOk;
  }

  std::string csv() {
    const bool heading = !std::exchange(headed_, true);
    return csv_of(sheet_of(watcher_.model(), ui_), tools::show_time(watcher_.model().frame().unix_ns), heading);
  }

  // What is printed once.
  int at_end() {
    if (!watcher_.model().has_frame()) return refuse("the recording has no frame", tools::kExitFailure);
    if (streams()) {
      if (!options_.once || !watcher_.replays()) return tools::kExitOk;
      return tools::print(options_.json ? write_frame(watcher_.model().frame(), options_.thresholds) : csv());
    }
    const size_t width = width_of_output(options_);
    const Screen screen = layout(watcher_.model(), ui_, width, kNoLimit);
    return tools::print(options_.svg ? svg_of(screen, width, options_.label) : painted(screen, tools::Palette::for_descriptor(STDOUT_FILENO)));
  }

  // One line and an exit status, whatever happens: Nagios takes what it does not know for nothing.
  int check() {
    Got got = watcher_.look();
    while (watcher_.replays() && got == Got::frame) got = watcher_.look();
    const Model& model = watcher_.model();
    const bool judged = got == Got::frame || (got == Got::end && model.has_frame());
    Grade grade = judged ? worst_of(model.findings()) : got == Got::no_bus ? Grade::critical : Grade::unknown;
    std::string line;
    if (judged) line = check_line(model.frame(), model.findings(), options_.thresholds);
    else line = "EVS " + std::string(name_of(grade)) + " - " + (got == Got::end ? "the recording has no frame" : watcher_.error()) + "\n";
    return tools::print(line) == tools::kExitOk ? static_cast<int>(grade) : static_cast<int>(Grade::unknown);
  }

  // False: we are told to end.
  bool wait() {
    pollfd wanted{signals_.descriptor(), POLLIN, 0};
    const int got = poll(&wanted, 1, static_cast<int>(options_.interval_ns / 1'000'000));
    return (got >= 0 || errno == EINTR) && !signals_.take();
  }

  const Options& options_;
  Watcher& watcher_;
  tools::LeaveSignals& signals_;
  Ui ui_;
  bool chosen_ = false, headed_ = false;
};

}  // namespace

bool choose(const Options& options, const Model& model, Ui& ui, std::string& failure) {
  ui.view = options.view;
  ui.filter = options.filter;
  ui.totals = options.totals;
  ui.ascii = options.ascii;
  ui.interval_ns = options.interval_ns;
  ui.reversed[ui.at()] = options.reverse;
  if (options.sort.empty()) return true;
  const Sheet sheet = sheet_of(model, ui);
  std::string known;
  for (size_t i = 0; i < sheet.columns.size(); ++i) {
    const Column& column = sheet.columns[i];
    if (same(column.title, options.sort) || same(column.name, options.sort)) return ui.sorted[ui.at()] = i, true;
    if (!column.title.empty()) known += (known.empty() ? "" : ", ") + column.title;
  }
  failure = "there is no column '" + tools::printable(options.sort) + "' in the view " + std::string(name_of(ui.view)) + ", but " + known;
  return false;
}

int print_looks(const Options& options, Watcher& watcher, tools::LeaveSignals& signals) { return Printer(options, watcher, signals).run(); }

}  // namespace evs::top
