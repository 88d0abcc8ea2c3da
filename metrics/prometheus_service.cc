// SPDX-License-Identifier: BSD-3-Clause
// metrics/prometheus_service.cc - evs-service-prometheus.so: an application that serves the metrics of its own buses (metrics.listen), without `evs exporter` beside it.
//
// All buses of the process that name one address share its server. What is shown of a bus is what all its processes on this host have counted, read from their
// files as anybody would: who serves has no part in it. libevs knows none of this, and links neither prometheus-cpp nor HTTP.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "evs/plugin.h"
#include "metrics/guest_exposer.h"
#include "metrics/prometheus_host.h"
#include "shm/directory.h"

namespace evs::metrics {
namespace {

constexpr uint64_t kReadAgainNs = 5'000'000'000;  // what a gateway counted is in a file that its successor replaces

constexpr evs_parameter_info kParameters[] = {
    {"metrics_listen", "text", "", "ADDRESS:PORT, of IPv4", "Where Prometheus finds them, at /metrics."},
    {"local_directory", "text", "", "an absolute path, or empty for /dev/shm/evs-<uid>", "Where the bus's files stand."},
    {"local_group", "text", "", "a Unix group, or empty", "Whose directory that is."},
};
constexpr evs_params_extension kParams = {sizeof(evs_params_extension), std::size(kParameters), kParameters, nullptr};

class Server {
 public:
  explicit Server(const std::string& address)
      : host_(std::make_shared<PrometheusHost>(Places{}, EVS_SERVICE_VERSION, [this](const std::string& sentence) { say(EVS_HOST_LOG_WARNING, sentence); })), exposer_(address, host_) {}

  void add(const evs_host* host, const std::string& directory) {
    host_->also(directory, host->bus);
    const std::lock_guard lock(mutex_);
    hosts_.push_back(host);
  }
  void remove(const evs_host* host) {
    const std::lock_guard lock(mutex_);
    hosts_.erase(std::remove(hosts_.begin(), hosts_.end(), host), hosts_.end());
  }
  void look() { host_->look(); }
  std::string url() const { return exposer_.url(); }

 private:
  void say(int32_t level, const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    if (!hosts_.empty()) hosts_.front()->log(hosts_.front()->context, level, "metrics", sentence.data(), sentence.size());
  }

  std::mutex mutex_;  // hosts_
  std::vector<const evs_host*> hosts_;
  const std::shared_ptr<PrometheusHost> host_;
  GuestExposer exposer_;  // last: it asks the others until it is gone
};

// By address.
std::mutex servers_mutex;
std::map<std::string, std::weak_ptr<Server>>& servers() {
  static auto* const all = new std::map<std::string, std::weak_ptr<Server>>;  // outlives the last bus of a process that exits with it open
  return *all;
}

struct PrometheusService {
  const evs_host* host;
  std::shared_ptr<Server> server;
  uint64_t next_ns = 0;
};
PrometheusService& of(void* self) { return *static_cast<PrometheusService*>(self); }

int32_t fail(evs_error_text* error, int32_t status, const char* sentence) {
  if (error != nullptr && error->capacity != 0) {
    const size_t bytes = std::min(std::strlen(sentence), error->capacity - 1);
    std::memcpy(error->text, sentence, bytes);
    error->text[bytes] = 0;
  }
  return status;
}

int32_t create(const evs_host* host, const evs_plugin_parameter* parameters, size_t count, evs_service** out, evs_error_text* error) {
  try {
    std::map<std::string, std::string> value;
    for (size_t i = 0; i < count; ++i) value[parameters[i].key] = parameters[i].value;
    for (const auto& given : value)
      if (std::none_of(std::begin(kParameters), std::end(kParameters), [&](const evs_parameter_info& info) { return given.first == info.key; }))
        return fail(error, EVS_P_BAD_PARAMETER, ("unknown parameter \"" + given.first + "\"").c_str());
    const std::string& address = value["metrics_listen"];
    const std::string directory = value["local_directory"].empty() ? shm::default_directory(value["local_group"]) : value["local_directory"];
    auto service = std::make_unique<PrometheusService>();
    const std::lock_guard lock(servers_mutex);
    service->server = servers()[address].lock();
    if (service->server == nullptr) servers()[address] = service->server = std::make_shared<Server>(address);
    service->host = host;
    service->server->add(host, directory);
    const std::string said = "serves " + service->server->url();
    host->log(host->context, EVS_HOST_LOG_INFO, "metrics", said.data(), said.size());
    *out = reinterpret_cast<evs_service*>(service.release());
    return EVS_P_OK;
  } catch (const std::bad_alloc&) {
    return fail(error, EVS_P_NO_MEMORY, "out of memory");
  } catch (const std::exception& problem) {
    return fail(error, EVS_P_NO_RESOURCES, problem.what());
  }
}

void destroy(evs_service* self) {
  const std::unique_ptr<PrometheusService> service(reinterpret_cast<PrometheusService*>(self));
  const std::lock_guard lock(servers_mutex);  // the last one's server is gone before another one may want its address
  service->server->remove(service->host);
  service->server.reset();
}

void work(void* self, uint64_t now_ns, uint64_t* next_ns) {
  PrometheusService& service = of(self);
  if (now_ns >= service.next_ns) {
    service.server->look();
    service.next_ns = now_ns + kReadAgainNs;
  }
  *next_ns = service.next_ns;
}

const void* get_extension(evs_service*, const char* id) { return std::strcmp(id, EVS_EXTENSION_PARAMS) == 0 ? &kParams : nullptr; }

constexpr evs_service_ops kService = {sizeof(evs_service_ops), 0, nullptr, work, nullptr, nullptr};
constexpr evs_service_plugin_ops kOps = {sizeof(evs_service_plugin_ops), 0, create, destroy, &kService, get_extension};
constexpr evs_plugin_descriptor kDescriptor = {sizeof(evs_plugin_descriptor), EVS_KIND_SERVICE, "prometheus", EVS_SERVICE_VERSION,
                                               "Serves the metrics of this process's buses to Prometheus.", nullptr, &kOps};

}  // namespace
}  // namespace evs::metrics

extern "C" {
EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1;
const evs_plugin_entry evs_plugin_entry_v1 = {EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, EVS_PLUGIN_ABI_MINOR, sizeof(evs_plugin_entry), 1, 0, &evs::metrics::kDescriptor};
}
