// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/services.h - plugins that run beside a bus: which ones says the configuration (metrics.listen, metrics.service).
//
// None of them is needed for a message to arrive. So one that is not there, fails to open or throws later is a line in the log, and the bus goes on without it.
//
// Made by who opens the bus, run by its service thread, taken down when that has ended.
#pragma once

#include <poll.h>

#include <list>
#include <mutex>
#include <vector>

#include "bus/runtime/config.h"
#include "bus/runtime/plugin_instance.h"

namespace evs::runtime {

class Log;

class Services {
 public:
  // While the service thread runs, or before. `host` and `log` must outlive it.
  void open(const Config& config, const evs_host& host, Log& log);

  // ---- The service thread's. ----
  uint64_t work(uint64_t now_ns);
  void add_descriptors(std::vector<pollfd>& wishes);
  void end();

 private:
  struct Running {
    Service service;
    ServiceCalls calls;
    bool begun = false, failed = false;
  };
  void give_up(Running& running, const std::string& why);

  std::mutex mutex_;
  std::list<Running> running_;
  Log* log_ = nullptr;
};

}  // namespace evs::runtime
