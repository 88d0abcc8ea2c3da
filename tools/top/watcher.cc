// SPDX-License-Identifier: BSD-3-Clause
// tools/top/watcher.cc - see watcher.h.
#include "tools/top/watcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/text.h"
#include "tools/top/recording.h"

namespace evs::top {
namespace {

constexpr mode_t kPrivate = 0600;  // it has the names of processes and groups

std::FILE* create(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kPrivate);
  return fd < 0 ? nullptr : fdopen(fd, "w");
}

}  // namespace

int exit_status(Got got) { return got == Got::frame || got == Got::end ? tools::kExitOk : got == Got::no_bus ? tools::kExitNoBus : tools::kExitFailure; }

int Watcher::open(std::function<bool()> wanted_elsewhere) {
  if (replays()) {
    source_ = replay_source(options_.replay, error_);
  } else if (!options_.url.empty()) {
    source_ = url_source(options_.url, options_.bus.bus, std::move(wanted_elsewhere));
  } else {
    const auto config = tools::load_config(options_.bus);
    if (!config.ok()) return error_ = config.error(), tools::kExitUsage;
    source_ = local_source(tools::transport_value(*config, "directory"), tools::transport_value(*config, "group"), config->text("bus.name"));
  }
  if (source_ == nullptr) return tools::kExitFailure;
  if (options_.record.empty()) return tools::kExitOk;
  recording_.reset(create(options_.record));
  const std::string header = recording_header();
  if (recording_ != nullptr && std::fputs(header.c_str(), recording_.get()) >= 0) return tools::kExitOk;
  error_ = tools::printable(options_.record) + ": " + std::strerror(errno);
  return tools::kExitFailure;
}

Got Watcher::take(Frame& out) {
  if (!read_ahead_) return source_->next(out, error_);
  read_ahead_ = false;
  out = std::move(ahead_frame_);
  error_ = ahead_error_;
  return ahead_;
}

uint64_t Watcher::due_after_ns() {
  if (!replays() || !model_.has_frame()) return 0;
  if (!read_ahead_) ahead_ = source_->next(ahead_frame_, ahead_error_);
  read_ahead_ = true;
  const uint64_t last = model_.frame().monotonic_ns;
  return ahead_ == Got::frame ? ahead_frame_.monotonic_ns - std::min(ahead_frame_.monotonic_ns, last) : 0;
}

// Whole lines: whoever reads it while it grows sees whole frames, and a full disk is told.
bool Watcher::record(const Frame& frame) {
  if (recording_ == nullptr) return true;
  const std::string line = write_frame(frame, options_.thresholds);
  if (std::fwrite(line.data(), 1, line.size(), recording_.get()) == line.size() && std::fflush(recording_.get()) == 0) return true;
  error_ = tools::printable(options_.record) + ": " + std::strerror(errno);
  return false;
}

Got Watcher::look() {
  Frame frame;
  error_.clear();
  const Got got = take(frame);
  if (got == Got::frame) {
    if (!record(frame)) return Got::broken;
    model_.add(std::move(frame));
  } else if (got != Got::end) {
    model_.fail(error_);
  }
  return got;
}

}  // namespace evs::top
