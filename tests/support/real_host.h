// SPDX-License-Identifier: BSD-3-Clause
// tests/support/real_host.h - one real host on its ring, for tests and benchmarks: a datagram transport, its seal, and the link on top, driven by one thread.
//
// Whatever cannot be set up ends the process with a sentence and status 2: it is a child of the test.
#pragma once

#include <sys/eventfd.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/runtime/plugin_instance.h"
#include "bus/runtime/uplink/link.h"

namespace evs::test {

uint64_t monotonic_ns();
[[noreturn]] void give_up(const std::string& why);

class RealHost {
 public:
  struct Wishes {
    std::string plugin;                         // the module's path
    std::vector<std::string> parameters;        // "key=value", the plugin's
    std::string key_file;                       // "none": in the clear
    ordering::HostId id = 1;
    uint64_t nonce = 1;                         // never one that this host had before
    ordering::Duration hello_period = runtime::uplink::Hearing::kPeriod;
    std::function<void(ordering::Settings&)> adjust = [](ordering::Settings&) {};
  };
  RealHost(const Wishes& wishes, runtime::uplink::Sink& sink);

  runtime::uplink::Link& link() { return link_; }
  runtime::sealing::Sealing& sealing() { return *sealing_; }
  static ordering::Instant now() { return {monotonic_ns()}; }
  // Sleeps until the link has something to do, `other` is readable (-1: nobody), or `until`; true: `other` is. `more`: does not sleep.
  bool wait(bool more, int other = -1, uint64_t until = UINT64_MAX);

 private:
  struct PluginsHost {
    PluginsHost();
    evs_host table{};
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::deque<uint64_t> counters;
  };
  runtime::Transport open(const Wishes& wishes);
  static std::unique_ptr<runtime::sealing::Sealing> seal(const Wishes& wishes);
  ordering::Settings settings(const Wishes& wishes) const;

  PluginsHost plugins_host_;
  std::deque<std::pair<std::string, std::string>> values_;
  runtime::Transport transport_;
  runtime::ServiceCalls service_;
  std::unique_ptr<runtime::sealing::Sealing> sealing_;
  runtime::uplink::Medium medium_;
  runtime::uplink::Link link_;
};

}  // namespace evs::test
