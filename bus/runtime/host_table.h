// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/host_table.h - what a transport may ask of its host: a log line, a counter, a wake-up.
//
// One per bus, at a fixed address for the transport's life. Counters are an array of our own, filled in front to back, so that a
// reader needs no lock: what stands before `count` never changes but for its value. wake() is one write to an eventfd, which a signal
// handler may make.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "evs/plugin.h"

namespace evs::runtime {

class Log;

inline constexpr size_t kPluginCountersMax = 128;  // of one transport; a metric family has a few dozen

class HostTable {
 public:
  HostTable(std::string bus_name, Log& log);
  ~HostTable();
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  bool ok() const { return wake_fd_ >= 0; }
  const evs_host* table() const { return &table_; }
  int wake_fd() const { return wake_fd_; }
  void wake();  // [signal]
  void drain();

  // The value of a counter by its name; 0 when the transport has none of that name.
  uint64_t counter(const char* name) const;

 private:
  struct Counter {
    std::string name, help;
    uint64_t value = 0;  // the transport's to write
  };

  static void log_line(void* context, int32_t level, const char* kind, const char* text, size_t length);
  static uint64_t* add_counter(void* context, const char* name, const char* help);
  static void wake_up(void* context);
  static const void* no_extension(void* context, const char* id);

  const std::string bus_name_;
  Log& log_;
  int wake_fd_;
  evs_host table_;
  std::mutex adding_;
  std::array<Counter, kPluginCountersMax> counters_;
  std::atomic<size_t> counter_count_{0};
};

}  // namespace evs::runtime
