// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_instance.cc - calls into a plugin that may fail in any way a plugin can.
#include "bus/runtime/plugin_instance.h"

#include <cxxabi.h>

#include <exception>
#include <utility>

namespace evs::runtime {
namespace {

constexpr size_t kSentence = 1024;

std::string name_of(const LoadedPlugin& plugin) {
  return std::string(plugin.descriptor->kind == EVS_KIND_TRANSPORT ? "transport " : "service ") + plugin.name() + " (" +
         plugin.file + ")";
}

// Runs `call` with room for a sentence. A cancelled thread unwinds through here: that one is not the plugin's throw.
template <class Call>
std::optional<PluginFailure> guarded(const std::string& who, const char* what, Call call) {
  char sentence[kSentence] = "";
  evs_error_text error{sentence, sizeof(sentence)};
  try {
    const int32_t status = call(&error);
    if (status == EVS_P_OK) return std::nullopt;
    sentence[kSentence - 1] = '\0';
    return PluginFailure{error_of_status(status),
                         who + ": " + what + " failed: " + (sentence[0] != '\0' ? sentence : text_of_status(status))};
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& problem) {
    return PluginFailure{CS_ERR_LIBRARY,
                         who + ": " + what + " threw an exception, a plugin must not: " + problem.what()};
  } catch (...) {
    return PluginFailure{CS_ERR_LIBRARY,
                         who + ": " + what + " threw something that is no exception, a plugin must not"};
  }
}

template <class Ops, class Self>
PluginResult<Self*> create_instance(const LoadedPlugin& plugin, const Ops& ops, const evs_host& host,
                                    const std::vector<evs_plugin_parameter>& parameters) {
  Self* self = nullptr;
  auto failure = guarded(name_of(plugin), "create", [&](evs_error_text* error) {
    return ops.create(&host, parameters.data(), parameters.size(), &self, error);
  });
  if (failure) return *failure;
  if (self == nullptr)
    return PluginFailure{CS_ERR_LIBRARY, name_of(plugin) + ": create answered EVS_P_OK and gave nothing"};
  return self;
}

}  // namespace

std::optional<PluginFailure> asked(const LoadedPlugin& plugin, const char* what, const std::function<void()>& call) {
  return guarded(name_of(plugin), what, [&](evs_error_text*) { return call(), EVS_P_OK; });
}

// ---- ServiceCalls ----

std::optional<PluginFailure> ServiceCalls::begin() const {
  if (ops_ == nullptr || ops_->begin == nullptr) return std::nullopt;
  return guarded(who_, "begin", [&](evs_error_text*) { return ops_->begin(self_); });
}

uint64_t ServiceCalls::work(uint64_t now_ns) {
  uint64_t next_ns = UINT64_MAX;
  if (ops_ == nullptr || ops_->work == nullptr || !fault_.empty()) return next_ns;
  auto failure = guarded(who_, "work", [&](evs_error_text*) { return ops_->work(self_, now_ns, &next_ns), EVS_P_OK; });
  if (!failure) return next_ns;
  fault_ = failure->text;
  return UINT64_MAX;
}

int ServiceCalls::fd() {
  int fd = -1;
  if (ops_ == nullptr || ops_->fd == nullptr || !fault_.empty()) return fd;
  if (auto failure = guarded(who_, "fd", [&](evs_error_text*) { return fd = ops_->fd(self_), EVS_P_OK; })) fault_ = failure->text;
  return fd;
}

void ServiceCalls::end() const {
  if (ops_ == nullptr || ops_->end == nullptr) return;
  guarded(who_, "end", [&](evs_error_text*) { return ops_->end(self_), EVS_P_OK; });
}

// ---- Transport ----

PluginResult<Transport> Transport::create(const LoadedPlugin& plugin, const evs_host& host,
                                          const std::vector<evs_plugin_parameter>& parameters) {
  auto self =
      create_instance<evs_transport_ops, evs_transport>(plugin, *plugin.descriptor->transport, host, parameters);
  if (!self) return self.failure();
  return Transport(plugin, *self);
}

Transport::Transport(Transport&& other) noexcept
    : plugin_(std::move(other.plugin_)), self_(std::exchange(other.self_, nullptr)) {}

Transport& Transport::operator=(Transport&& other) noexcept {
  std::swap(plugin_, other.plugin_);
  std::swap(self_, other.self_);
  return *this;
}

Transport::~Transport() {
  if (self_ != nullptr)
    guarded(name_of(plugin_), "destroy", [&](evs_error_text*) { return ops().destroy(self_), EVS_P_OK; });
}

std::optional<PluginFailure> Transport::start(uint64_t timeout_ns) {
  return guarded(name_of(plugin_), "start",
                 [&](evs_error_text* error) { return ops().start(self_, timeout_ns, error); });
}

void Transport::stop() noexcept {
  guarded(name_of(plugin_), "stop", [&](evs_error_text*) { return ops().stop(self_), EVS_P_OK; });
}

ServiceCalls Transport::service() const {
  return {ops().service, self_, name_of(plugin_)};
}

const void* Transport::find_extension(const char* id) const noexcept {
  const void* found = nullptr;
  if (ops().get_extension != nullptr)
    guarded(name_of(plugin_), "get_extension", [&](evs_error_text*) { return found = ops().get_extension(self_, id), EVS_P_OK; });
  return found;
}

// ---- Service ----

PluginResult<Service> Service::create(const LoadedPlugin& plugin, const evs_host& host,
                                      const std::vector<evs_plugin_parameter>& parameters) {
  auto self =
      create_instance<evs_service_plugin_ops, evs_service>(plugin, *plugin.descriptor->service, host, parameters);
  if (!self) return self.failure();
  return Service(plugin, *self);
}

Service::Service(Service&& other) noexcept
    : plugin_(std::move(other.plugin_)), self_(std::exchange(other.self_, nullptr)) {}

Service& Service::operator=(Service&& other) noexcept {
  std::swap(plugin_, other.plugin_);
  std::swap(self_, other.self_);
  return *this;
}

Service::~Service() {
  if (self_ == nullptr) return;
  guarded(name_of(plugin_), "destroy",
          [&](evs_error_text*) { return plugin_.descriptor->service->destroy(self_), EVS_P_OK; });
}

ServiceCalls Service::service() const {
  return {plugin_.descriptor->service->service, self_, name_of(plugin_)};
}

}  // namespace evs::runtime
