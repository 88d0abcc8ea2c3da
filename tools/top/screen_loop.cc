// SPDX-License-Identifier: BSD-3-Clause
// tools/top/screen_loop.cc - see screen_loop.h.
#include "tools/top/screen_loop.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

#include "tools/evs/clock.h"
#include "tools/evs/exit_code.h"
#include "tools/top/print.h"
#include "tools/top/terminal.h"

namespace evs::top {
namespace {

constexpr uint64_t kLongestGapNs = 5'000'000'000;  // between two frames of a recording that are further apart

class Loop {
 public:
  Loop(const Options& options, Watcher& watcher, tools::LeaveSignals& signals, Terminal& terminal) : options_(options), watcher_(watcher), signals_(signals), terminal_(terminal) {
    ui_.view = options.view;
    ui_.interval_ns = options.interval_ns;
    ui_.ascii = options.ascii || terminal.ascii();
  }

  int run() {
    for (;;) {
      if (is_due() && !look()) return status_;
      terminal_.show(layout(watcher_.model(), ui_, terminal_.width(), terminal_.height()));
      if (!wait()) return status_;
    }
  }
  const std::string& failure() const { return failure_; }

 private:
  bool is_due() const { return !ended_ && (ui_.step || (!ui_.paused && tools::monotonic_ns() >= due_ns_)); }

  // False: it is over.
  bool look() {
    ui_.step = false;
    const Got got = watcher_.look();
    if (got == Got::broken) return fail(watcher_.error(), tools::kExitFailure);
    ended_ = got == Got::end;
    const uint64_t gap = watcher_.replays() ? std::min(watcher_.due_after_ns(), kLongestGapNs) : ui_.interval_ns;
    due_ns_ = tools::monotonic_ns() + gap;
    if (!chosen_ && watcher_.model().has_frame()) {
      const bool ascii = ui_.ascii;
      if (!choose(options_, watcher_.model(), ui_, failure_)) return fail(failure_, tools::kExitUsage);
      ui_.ascii = ascii;
      chosen_ = true;
    }
    if (ended_ && !watcher_.model().has_frame()) return fail("the recording has no frame", tools::kExitFailure);
    return options_.count == 0 || ++looks_ < options_.count;
  }

  bool fail(const std::string& sentence, int status) {
    failure_ = sentence;
    status_ = status;
    return false;
  }

  int timeout_ms() const {
    if (ended_ || ui_.paused) return -1;
    const uint64_t now = tools::monotonic_ns();
    return static_cast<int>((due_ns_ - std::min(due_ns_, now) + 999'999) / 1'000'000);
  }

  // False: it is over. A change of the terminal's size interrupts it.
  bool wait() {
    pollfd wanted[] = {{STDIN_FILENO, POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}};
    if (poll(wanted, 2, timeout_ms()) < 0 && errno != EINTR) return fail("poll failed", tools::kExitFailure);
    if (signals_.take()) return false;
    const bool gone = (wanted[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    bool pressed = false;
    while (const auto key = terminal_.key()) {
      pressed = true;
      press(ui_, *key, shown_at(watcher_.model(), ui_, terminal_.height()));
      if (ui_.quit) return false;
    }
    // A terminal that is gone is readable for ever, and gives nothing.
    const bool empty = (wanted[0].revents & POLLIN) != 0 && !pressed;
    empty_ = empty ? empty_ + 1 : 0;
    return !gone && empty_ < kMostEmpty;
  }
  static constexpr int kMostEmpty = 100;  // a part of a key may have come, and no more of it

  const Options& options_;
  Watcher& watcher_;
  tools::LeaveSignals& signals_;
  Terminal& terminal_;
  Ui ui_;
  uint64_t due_ns_ = 0, looks_ = 0;
  int empty_ = 0, status_ = tools::kExitOk;
  bool ended_ = false, chosen_ = false;
  std::string failure_;
};

}  // namespace

int run_on_screen(const Options& options, Watcher& watcher, tools::LeaveSignals& signals) {
  std::string failure;
  int status = tools::kExitOk;
  {
    Terminal terminal;
    if (!terminal.usable()) return std::fprintf(stderr, "evs-top: this terminal is not known (TERM): --once, --json and --csv need none\n"), tools::kExitUsage;
    Loop loop(options, watcher, signals, terminal);
    status = loop.run();
    failure = loop.failure();
  }
  // The terminal is a plain one again.
  if (!failure.empty()) std::fprintf(stderr, "evs-top: %s\n", failure.c_str());
  return status;
}

}  // namespace evs::top
