// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/plugin.cc - the entry of the module, and the life of a transport: create, start, stop, destroy.
//
// Begin reading here when you copy this plugin (docs/plugin-guide.md): plugin.cc, ordered.cc and extensions.cc are the
// frame that every ordered medium has, medium.*, cursor.* and membership.* are this one's own.
#include <unistd.h>

#include <cstring>
#include <exception>
#include <string>

#include "transport.h"

namespace evs::loopback {
namespace {

int32_t create(const evs_host* host, const evs_plugin_parameter* parameters, size_t count, evs_transport** out,
               evs_error_text* error) {
  try {
    Settings settings;
    std::string problem;
    if (const int32_t status = read_parameters(parameters, count, settings, problem); status != EVS_P_OK) {
      say(error, problem);
      return status;
    }
    auto self = std::make_unique<evs_transport>();
    self->host = host;
    self->medium = Medium::open(host->bus, settings);
    self->medium->add(*host);
    *out = self.release();
    return EVS_P_OK;
  } catch (const std::bad_alloc&) {
    say(error, "no memory for the loopback medium: lower ring_size");
    return EVS_P_NO_MEMORY;
  } catch (const std::exception& problem) {
    say(error, problem.what());
    return EVS_P_INTERNAL;
  } catch (...) {
    return EVS_P_INTERNAL;
  }
}

int32_t start(evs_transport* self, uint64_t timeout_ns, evs_error_text* error) {
  return guarded([&]() -> int32_t {
    const int32_t status = self->medium->join(getpid(), deadline_after(timeout_ns), self->self);
    if (status == EVS_P_TIMEOUT)
      say(error, "a reader holds all room of the loopback medium: raise ring_size, or dispatch");
    if (status == EVS_P_NO_RESOURCES)
      say(error, "the loopback medium has as many members as max_processes allows (" +
                     std::to_string(self->medium->member_limit()) + ")");
    if (status == EVS_P_CLOSED)
      say(error, "the loopback medium has failed and stays so until all who have it open close it");
    return status;
  });
}

void stop(evs_transport* self) {
  guarded([&] {
    if (self->self != nullptr) self->medium->leave(*self->self, EVS_MEMBER_LEFT);
    return EVS_P_OK;
  });
}

void destroy(evs_transport* self) {
  self->medium->remove(*self->host);
  delete self;
}

const void* get_extension(evs_transport* self, const char* id) {
  if (std::strcmp(id, EVS_EXTENSION_PARAMS) == 0) return &kParameters;  // of the plugin: needs no transport
  return self == nullptr ? nullptr : find_extension(id);
}

const evs_transport_ops kTransport = {sizeof(evs_transport_ops),
                                      EVS_MEDIUM_ORDERED,
                                      EVS_CAP_TELLS_STABILITY | EVS_CAP_SAME_HOST,
                                      create,
                                      start,
                                      stop,
                                      destroy,
                                      &kServiceOps,
                                      nullptr,
                                      &kOrderedOps,
                                      get_extension};

const evs_plugin_descriptor kDescriptor = {sizeof(evs_plugin_descriptor),
                                           EVS_KIND_TRANSPORT,
                                           "loopback",
                                           "1.0.0",
                                           "An ordered medium inside one process, for tests and as a template.",
                                           &kTransport,
                                           nullptr};

}  // namespace

void say(evs_error_text* error, const std::string& text) noexcept {
  if (error == nullptr || error->text == nullptr || error->capacity == 0) return;
  const size_t length = std::min(text.size(), error->capacity - 1);
  std::memcpy(error->text, text.data(), length);
  error->text[length] = '\0';
}

}  // namespace evs::loopback

// The one symbol that this module exports: data, so that the host can judge it before it runs any code of ours.
EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1;
const evs_plugin_entry evs_plugin_entry_v1 = {
    EVS_PLUGIN_MAGIC,           EVS_PLUGIN_ABI_MAJOR, EVS_PLUGIN_ABI_MINOR, sizeof(evs_plugin_entry), 1, 0,
    &evs::loopback::kDescriptor};
