// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/host_table.cc - the C functions behind evs_host. None of them lets an exception out.
#include "bus/runtime/host_table.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "bus/runtime/log.h"

namespace evs::runtime {

HostTable::HostTable(std::string bus_name, Log& log)
    : bus_name_(std::move(bus_name)), log_(log), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), table_{} {
  table_.struct_size = sizeof table_;
  table_.abi_minor = EVS_PLUGIN_ABI_MINOR;
  table_.context = this;
  table_.bus = bus_name_.c_str();
  table_.log = &HostTable::log_line;
  table_.counter = &HostTable::add_counter;
  table_.wake = &HostTable::wake_up;
  table_.get_extension = &HostTable::no_extension;
}

HostTable::~HostTable() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

void HostTable::wake() {
  const int saved = errno;
  const uint64_t one = 1;
  // A full eventfd has been rung already; nothing else can go wrong with it.
  // Raw, as in drain(): no cancellation point, for this is on the way of sends.
  [[maybe_unused]] const long written = syscall(SYS_write, wake_fd_, &one, sizeof one);
  errno = saved;
}

void HostTable::drain() {
  uint64_t rung = 0;
  [[maybe_unused]] const long got = syscall(SYS_read, wake_fd_, &rung, sizeof rung);
}

uint64_t HostTable::counter(const char* name) const {
  const size_t count = counter_count_.load(std::memory_order_acquire);
  for (size_t i = 0; i < count; ++i)
    if (counters_[i].name == name) return __atomic_load_n(&counters_[i].value, __ATOMIC_RELAXED);
  return 0;
}

void HostTable::log_line(void* context, int32_t level, const char* kind, const char* text, size_t length) {
  auto& host = *static_cast<HostTable*>(context);
  if (kind == nullptr || (text == nullptr && length > 0)) return;
  host.log_.say(static_cast<int>(level), kind, std::string_view(text, length));
}

uint64_t* HostTable::add_counter(void* context, const char* name, const char* help) {
  auto& host = *static_cast<HostTable*>(context);
  try {
    const std::lock_guard guard(host.adding_);
    const size_t count = host.counter_count_.load(std::memory_order_relaxed);
    if (name == nullptr || count == kPluginCountersMax) return nullptr;
    Counter& counter = host.counters_[count];
    counter.name = name;
    counter.help = help == nullptr ? "" : help;
    host.counter_count_.store(count + 1, std::memory_order_release);
    return &counter.value;
  } catch (...) {
    return nullptr;  // out of memory: "no more room", as the contract says
  }
}

void HostTable::wake_up(void* context) { static_cast<HostTable*>(context)->wake(); }

const void* HostTable::no_extension(void*, const char*) { return nullptr; }

}  // namespace evs::runtime
