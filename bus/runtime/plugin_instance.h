// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_instance.h - a transport or service that was created, and the wall around it.
//
// create(), start(), stop() and the service functions are called through here: what a plugin throws becomes a failure
// that names it, and goes no further. The functions of the media are not wrapped: append() and read() are called
// through the table as they stand, a call through a pointer and nothing more, and that they do not throw is the
// plugin's duty.
//
// The order of a transport's life: create, begin() on the service thread, start, ..., stop, end() on the service
// thread, and the destructor, which destroys it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bus/runtime/plugin_host.h"

namespace evs::runtime {

// The service functions of a transport or service, callable whether the plugin has them or not. On the service thread
// only.
class ServiceCalls {
 public:
  ServiceCalls() = default;
  ServiceCalls(const evs_service_ops* ops, void* self, std::string who)
      : ops_(ops), self_(self), who_(std::move(who)) {}

  std::optional<PluginFailure> begin() const;
  // The monotonic time of its next wish, UINT64_MAX for none. After a throw: never again.
  uint64_t work(uint64_t now_ns);
  int fd();  // -1: none. After a throw: never again
  void end() const;
  // What it threw; empty while all is well.
  const std::string& fault() const { return fault_; }

 private:
  const evs_service_ops* ops_ = nullptr;
  void* self_ = nullptr;
  std::string who_, fault_;
};

// Runs `call`, which asks a plugin something before there is an instance of it; what it throws becomes a failure that names it.
std::optional<PluginFailure> asked(const LoadedPlugin& plugin, const char* what, const std::function<void()>& call);

class Transport {
 public:
  // `host` must outlive the transport.
  static PluginResult<Transport> create(const LoadedPlugin& plugin, const evs_host& host,
                                        const std::vector<evs_plugin_parameter>& parameters);
  Transport(Transport&& other) noexcept;
  Transport& operator=(Transport&& other) noexcept;
  ~Transport();

  std::optional<PluginFailure> start(uint64_t timeout_ns);
  void stop() noexcept;

  evs_transport* self() const noexcept { return self_; }
  const evs_transport_ops& ops() const noexcept { return *plugin_.descriptor->transport; }
  const evs_ordered_ops& ordered() const noexcept { return *ops().ordered; }     // of an ordered medium
  const evs_datagram_ops& datagram() const noexcept { return *ops().datagram; }  // of a datagram medium
  const LoadedPlugin& plugin() const noexcept { return plugin_; }
  ServiceCalls service() const;

  // An extension's table, nullptr when it has none. Fields behind those of its revision are for EVS_HAS.
  template <class Table>
  const Table* extension(const char* id) const {
    return static_cast<const Table*>(find_extension(id));
  }

 private:
  Transport(LoadedPlugin plugin, evs_transport* self) : plugin_(std::move(plugin)), self_(self) {}
  const void* find_extension(const char* id) const noexcept;

  LoadedPlugin plugin_;
  evs_transport* self_;
};

class Service {
 public:
  static PluginResult<Service> create(const LoadedPlugin& plugin, const evs_host& host,
                                      const std::vector<evs_plugin_parameter>& parameters);
  Service(Service&& other) noexcept;
  Service& operator=(Service&& other) noexcept;
  ~Service();

  const LoadedPlugin& plugin() const noexcept { return plugin_; }
  ServiceCalls service() const;

 private:
  Service(LoadedPlugin plugin, evs_service* self) : plugin_(std::move(plugin)), self_(self) {}

  LoadedPlugin plugin_;
  evs_service* self_;
};

}  // namespace evs::runtime
