// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/log.cc - levels, kinds, and one logger that nobody else can find.
#include "bus/runtime/log.h"

#include <spdlog/logger.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <vector>

#include "bus/runtime/config.h"
#include "bus/runtime/log_rate.h"
#include "bus/runtime/log_sinks.h"
#include "bus/runtime/no_cancel.h"

namespace evs::runtime {
namespace {

constexpr std::string_view kFilePrefix = "file:";

uint64_t monotonic_ns() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

// spdlog's first five levels have our numbers; its "critical" we do not use.
static_assert(static_cast<int>(spdlog::level::trace) == static_cast<int>(LogLevel::trace));
static_assert(static_cast<int>(spdlog::level::debug) == static_cast<int>(LogLevel::debug));
static_assert(static_cast<int>(spdlog::level::info) == static_cast<int>(LogLevel::info));
static_assert(static_cast<int>(spdlog::level::warn) == static_cast<int>(LogLevel::warning));
static_assert(static_cast<int>(spdlog::level::err) == static_cast<int>(LogLevel::error));

LogLevel level_of(std::string_view name) {
  constexpr std::string_view kNames[] = {"trace", "debug", "info", "warning", "error", "off"};
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<LogLevel>(i);
  return LogLevel::warning;
}

std::string opening_of(const LogOptions& options) {
  return "evs[" + std::to_string(::getpid()) + "] bus " + options.bus + ": ";
}

// None for "none". A target that is none of ours cannot come from a checked configuration; stderr is the safe reading.
spdlog::sink_ptr make_sink(const LogOptions& options) {
  if (options.function != nullptr) return make_function_sink(options.function, options.context);
  if (options.to == "none") return nullptr;
  if (options.to == "syslog") return make_syslog_sink();
  if (options.to.compare(0, kFilePrefix.size(), kFilePrefix) == 0)
    return make_file_sink(options.to.substr(kFilePrefix.size()), opening_of(options));
  return make_stderr_sink();
}

}  // namespace

struct Log::Inside {
  explicit Inside(const LogOptions& options)
      : opening(opening_of(options)), sink(make_sink(options)), logger("evs", sink), rate(options.rate) {
    // The level is judged by Log::enabled, before a line is made.
    logger.set_level(sink ? spdlog::level::trace : spdlog::level::off);
    // spdlog's own handler would print to stderr in its own form; sinks of ours report their trouble themselves.
    logger.set_error_handler([](const std::string&) {});
  }

  const std::string opening;
  const spdlog::sink_ptr sink;
  spdlog::logger logger;
  std::mutex lock;  // of `rate` alone; never held while a line is written
  LogRate rate;
};

LogOptions log_options(const Config& config) {
  LogOptions options;
  options.bus = config.text("bus.name");
  options.level = level_of(config.text("log.level"));
  options.to = config.text("log.to");
  options.rate = config.integer("log.rate");
  return options;
}

Log::Log(const LogOptions& options) noexcept : level_(options.level), pid_(::getpid()) {
  try {
    inside_ = std::make_unique<Inside>(options);
  } catch (...) {
    set_level(LogLevel::off);
  }
}

Log::~Log() {
  if (inside_ == nullptr || !is_ours()) return;
  try {
    for (const Suppressed& suppressed : inside_->rate.take_all())
      put(static_cast<LogLevel>(suppressed.level), suppressed.text());
  } catch (...) {
    // Out of memory for a report about what was left out: it is left out.
  }
}

bool Log::is_ours() const noexcept {
  return ::getpid() == pid_;
}

void Log::put(LogLevel level, std::string_view text) {
  if (inside_->sink == nullptr) return;
  const NoCancel not_in_here;
  std::string line = inside_->opening + printable(text, kLogTextBytesMax);
  inside_->logger.log(static_cast<spdlog::level::level_enum>(level), spdlog::string_view_t(line.data(), line.size()));
}

void Log::say_at(uint64_t now_ns, LogLevel level, std::string_view kind, std::string_view text) noexcept {
  if (!enabled(level) || inside_ == nullptr || !is_ours()) return;
  try {
    std::vector<Suppressed> finished;
    bool admitted;
    {
      const std::lock_guard<std::mutex> hold(inside_->lock);
      admitted = inside_->rate.admit(now_ns, kind, static_cast<int>(level), finished);
    }
    for (const Suppressed& suppressed : finished) put(static_cast<LogLevel>(suppressed.level), suppressed.text());
    if (admitted) put(level, text);
  } catch (...) {
    // No memory for a line, or the host application's function threw: there is nobody to tell.
  }
}

void Log::say(LogLevel level, std::string_view kind, std::string_view text) noexcept {
  if (enabled(level)) say_at(monotonic_ns(), level, kind, text);
}

void Log::say(int level, std::string_view kind, std::string_view text) noexcept {
  say(static_cast<LogLevel>(std::clamp(level, static_cast<int>(LogLevel::trace), static_cast<int>(LogLevel::error))),
      kind, text);
}

void Log::tick_at(uint64_t now_ns) noexcept {
  if (inside_ == nullptr || !is_ours()) return;
  try {
    std::vector<Suppressed> finished;
    {
      const std::lock_guard<std::mutex> hold(inside_->lock);
      finished = inside_->rate.take_finished(now_ns);
    }
    for (const Suppressed& suppressed : finished) put(static_cast<LogLevel>(suppressed.level), suppressed.text());
  } catch (...) {
    // As in say_at.
  }
}

void Log::tick() noexcept {
  tick_at(monotonic_ns());
}

}  // namespace evs::runtime
