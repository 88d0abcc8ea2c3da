// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/log.h - what the bus has to say to people.
//
// We are a guest in someone's process, and so is our log: a private spdlog logger that no registry knows, sinks of our
// own that leave stdio, openlog() and SIGPIPE alone, warnings and worse on stderr unless somebody wants more or less.
// One line is one write, so lines of several processes do not mix:
//
//     evs[4711] bus default: process 4712 holds the ring: it has not dispatched for 10 s
//
// Not for the paths of send and dispatch. Each message has a kind, a literal such as "slow-reader", by which
// repetitions are limited (log_rate.h). A target that fails is reported on stderr, once, and stands in no one's way:
// what cannot be written there goes to stderr.
//
// Any thread, after construction. In the child of a fork() a Log says nothing and takes no lock (another thread of the
// parent may have held it at that moment); the child's handles are invalid, so nothing is lost. Nothing here throws.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace evs::runtime {

class Config;

// The numbers of EVS_LOG_* (evs/evs.h) and of the plugins' host table.
enum class LogLevel : int { trace = 0, debug = 1, info = 2, warning = 3, error = 4, off = 5 };

// The host application's own log: one line, no newline, NUL-terminated. Any thread, several at a time; it may not call
// evs. An exception out of it is swallowed.
using LogFunction = void (*)(void* context, int level, const char* text, size_t length);

struct LogOptions {
  std::string bus = "default";
  LogLevel level = LogLevel::warning;
  std::string to = "stderr";       // as log.to
  uint64_t rate = 20;              // as log.rate
  LogFunction function = nullptr;  // takes the place of `to`
  void* context = nullptr;
  bool is_stderr() const { return function == nullptr && to == "stderr"; }
};

// bus.name, log.level, log.to and log.rate.
LogOptions log_options(const Config& config);

class Log {
 public:
  explicit Log(const LogOptions& options) noexcept;
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled(LogLevel level) const noexcept {
    const LogLevel least = level_.load(std::memory_order_relaxed);
    return level >= least && level != LogLevel::off;
  }
  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
  LogLevel level() const noexcept { return level_.load(std::memory_order_relaxed); }

  // Control characters in `text` become '?', and what exceeds kLogTextBytesMax is cut.
  void say(LogLevel level, std::string_view kind, std::string_view text) noexcept;
  // A plugin's level: out of range is taken as the nearest.
  void say(int level, std::string_view kind, std::string_view text) noexcept;
  void error(std::string_view kind, std::string_view text) noexcept { say(LogLevel::error, kind, text); }
  void warning(std::string_view kind, std::string_view text) noexcept { say(LogLevel::warning, kind, text); }
  void info(std::string_view kind, std::string_view text) noexcept { say(LogLevel::info, kind, text); }
  void debug(std::string_view kind, std::string_view text) noexcept { say(LogLevel::debug, kind, text); }

  // The same, told the time (monotonic).
  void say_at(uint64_t now_ns, LogLevel level, std::string_view kind, std::string_view text) noexcept;

  // Reports what windows that are over have suppressed. The service thread calls it now and then; without it the report
  // comes with the next message of the kind, or when the log is closed.
  void tick_at(uint64_t now_ns) noexcept;
  void tick() noexcept;

 private:
  struct Inside;  // spdlog stays in log.cc

  bool is_ours() const noexcept;
  void put(LogLevel level, std::string_view text);

  std::atomic<LogLevel> level_;
  int pid_;                         // of the process that made it
  std::unique_ptr<Inside> inside_;  // null when there was no memory for it: then the log is silent
};

inline constexpr size_t kLogTextBytesMax = 2048;  // of one message: a line stays below PIPE_BUF, so it is one write

}  // namespace evs::runtime
