// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/services.cc - see services.h.
#include "bus/runtime/services.h"

#include <algorithm>

#include "bus/runtime/log.h"
#include "bus/runtime/plugin_parameters.h"

namespace evs::runtime {

void Services::open(const Config& config, const evs_host& host, Log& log) {
  log_ = &log;
  if (config.text("metrics.listen").empty()) return;
  const PluginLog say = [&](int32_t level, std::string_view text) { log.say(static_cast<int>(level), "plugin", text); };
  const auto open_one = [&]() -> std::optional<PluginFailure> {
    auto plugin = PluginHost::load_service(config.text("metrics.service"), {config.text("plugins.path"), EVS_PLUGIN_INSTALL_DIR}, say);
    if (!plugin) return plugin.failure();
    std::optional<ParameterList> parameters;
    if (auto failure = asked(*plugin, "get_extension", [&] { parameters.emplace(ParameterList::of_service(config, *plugin)); })) return failure;
    auto service = Service::create(*plugin, host, parameters->view());
    if (!service) return service.failure();
    const std::lock_guard lock(mutex_);
    ServiceCalls calls = service->service();
    running_.push_back({std::move(*service), std::move(calls)});
    return std::nullopt;
  };
  if (const auto failure = open_one()) log.warning("metrics", failure->text + "; the bus goes on without metrics.listen");
}

void Services::give_up(Running& running, const std::string& why) {
  running.failed = true;
  log_->warning("metrics", why + "; the bus goes on without it");
}

uint64_t Services::work(uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  uint64_t next = UINT64_MAX;
  for (Running& running : running_) {
    if (running.failed) continue;
    if (!running.begun) {
      running.begun = true;
      if (const auto failure = running.calls.begin()) {
        give_up(running, failure->text);
        continue;
      }
    }
    next = std::min(next, running.calls.work(now_ns));
    if (!running.calls.fault().empty()) give_up(running, running.calls.fault());
  }
  return next;
}

void Services::add_descriptors(std::vector<pollfd>& wishes) {
  const std::lock_guard lock(mutex_);
  for (Running& running : running_)
    if (running.begun && !running.failed) wishes.push_back({running.calls.fd(), POLLIN, 0});
}

void Services::end() {
  const std::lock_guard lock(mutex_);
  for (Running& running : running_)
    if (running.begun && !running.failed) running.calls.end();
}

}  // namespace evs::runtime
