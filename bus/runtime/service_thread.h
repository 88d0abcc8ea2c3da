// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/service_thread.h - the one thread of a process and bus that is not the application's.
//
// It sleeps until the transport's descriptor is readable, somebody wakes it, or a deadline is due; then it does the transport's
// work and the bus's. Every signal is blocked in it: handlers of the application run in threads of the application.
#pragma once

#include <poll.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bus/runtime/plugin_instance.h"

namespace evs::runtime {

class HostTable;

class ServiceThread {
 public:
  struct Duties {
    ServiceCalls transport;
    // The bus's own, after each work(). Returns the monotonic time of its next wish. Does not throw.
    std::function<uint64_t(uint64_t now_ns)> after_work;
    // Of what else is run there (services.h): descriptors that wake it, and its end.
    std::function<void(std::vector<pollfd>& wishes)> add_descriptors = {};
    std::function<void()> before_end = {};
  };

  // Starts it; returns when begin() ran, with what it had to say.
  std::optional<PluginFailure> start(HostTable& host, Duties duties);
  // What the transport's work() threw; empty while all is well. On the service thread.
  const std::string& fault() const { return duties_.transport.fault(); }
  // Ends it after end(). Harmless when it was never started.
  void stop();

 private:
  static void* entry(void* self);
  void run();
  void sleep_until(uint64_t deadline_ns);

  HostTable* host_ = nullptr;
  Duties duties_;
  std::vector<pollfd> wishes_;
  pthread_t thread_{};
  bool started_ = false;
  std::optional<PluginFailure> begin_failure_;
  std::atomic<uint32_t> begun_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace evs::runtime
