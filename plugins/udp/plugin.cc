// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/plugin.cc - the entry of the module, the tables, and where C becomes C++ and exceptions end.
#include <sys/random.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "plugins/udp/transport.h"

namespace evs::udp {
namespace {

void say(evs_error_text* error, const std::string& text) noexcept {
  if (error != nullptr && error->text != nullptr && error->capacity > 0) std::snprintf(error->text, error->capacity, "%s", text.c_str());
}

uint64_t random_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) seed = now_ns();
  return seed;
}

int32_t create(const evs_host* host, const evs_plugin_parameter* parameters, size_t count, evs_transport** out, evs_error_text* error) {
  try {
    Settings settings;
    Trouble trouble = read_parameters(parameters, count, settings);
    std::unique_ptr<evs_transport> self;
    if (!trouble) {
      self = std::make_unique<evs_transport>(host, std::move(settings), random_seed());
      trouble = self->open();
    }
    if (trouble) {
      say(error, trouble->text);
      return trouble->status;
    }
    *out = self.release();
    return EVS_P_OK;
  } catch (const std::bad_alloc&) {
    say(error, "no memory for the udp transport");
    return EVS_P_NO_MEMORY;
  } catch (const std::exception& problem) {
    say(error, problem.what());
    return EVS_P_INTERNAL;
  } catch (...) {
    return EVS_P_INTERNAL;
  }
}

// The group was joined when the sockets were opened, and there is no membership here to wait for.
int32_t start(evs_transport*, uint64_t, evs_error_text*) {
  return EVS_P_OK;
}
void stop(evs_transport*) {}
void destroy(evs_transport* self) {
  delete self;
}

// ---- Datagrams ----

size_t largest_frame(evs_transport* self) {
  return self->sender.largest_frame();
}

int32_t send(evs_transport* self, const evs_datagram* frames, size_t count, size_t* taken) {
  *taken = 0;
  return guarded([&] { return self->send(frames, count, taken); });
}

int32_t receive(evs_transport* self, evs_datagram* frames, size_t count, size_t* got) {
  *got = 0;
  return guarded([&] { return self->receive(frames, count, got); });
}

size_t peer_name(evs_transport* self, uint32_t peer, char* text, size_t capacity) {
  size_t length = 0;
  guarded([&] {
    const Address* address = self->peers.find(peer);
    if (address != nullptr) length = static_cast<size_t>(std::snprintf(text, capacity, "%s", address->text().c_str()));
    return EVS_P_OK;
  });
  return length;
}

int32_t receive_fd(evs_transport* self) {
  return self->receiver.fd();
}

// ---- The service thread ----

int32_t begin(void*) {
  return EVS_P_OK;
}
void work(void* context, uint64_t now, uint64_t* next) {
  auto& self = *static_cast<evs_transport*>(context);
  *next = now + 1'000'000'000;  // should it throw
  guarded([&] { return *next = self.work(now), EVS_P_OK; });
}
int32_t fd(void* context) {
  return static_cast<evs_transport*>(context)->links.fd();
}
void end(void*) {}

// ---- Extensions ----

int32_t mark(evs_transport* self, uint32_t peer) {
  return guarded([&]() -> int32_t {
    bool full = false;
    if (const Address* address = self->peers.find(peer); address != nullptr) self->voice.came(address->text());
    if (self->peers.mark(peer, full)) return EVS_P_OK;
    return full ? EVS_P_NO_RESOURCES : EVS_P_BAD_PARAMETER;
  });
}

void forget(evs_transport* self, uint32_t peer) {
  guarded([&] {
    if (const Address* address = self->peers.find(peer); address != nullptr) self->voice.went(address->text());
    return self->peers.forget(peer), EVS_P_OK;
  });
}

size_t dump(evs_transport* self, char* text, size_t capacity) {
  size_t length = 0;
  guarded([&] {
    const std::string all = self->description();
    if (capacity > 0) std::snprintf(text, capacity, "%s", all.c_str());
    length = all.size();
    return EVS_P_OK;
  });
  return length;
}

constexpr evs_peers_extension kPeers = {sizeof(evs_peers_extension), 0, mark, forget};
constexpr evs_introspect_extension kIntrospect = {sizeof(evs_introspect_extension), 0, dump};

const void* get_extension(evs_transport* self, const char* id) {
  if (std::strcmp(id, EVS_EXTENSION_PARAMS) == 0) return parameter_table();
  if (self == nullptr) return nullptr;
  if (std::strcmp(id, EVS_EXTENSION_PEERS) == 0) return &kPeers;
  if (std::strcmp(id, EVS_EXTENSION_INTROSPECT) == 0) return &kIntrospect;
  return nullptr;
}

// ---- Tables ----

const evs_datagram_ops kDatagramOps = {sizeof(evs_datagram_ops), 0, largest_frame, send, receive, peer_name, receive_fd};
const evs_service_ops kServiceOps = {sizeof(evs_service_ops), 0, begin, work, fd, end};
const evs_transport_ops kTransport = {
    sizeof(evs_transport_ops), EVS_MEDIUM_DATAGRAM, 0, create, start, stop, destroy, &kServiceOps, &kDatagramOps, nullptr, get_extension};
const evs_plugin_descriptor kDescriptor = {sizeof(evs_plugin_descriptor),
                                           EVS_KIND_TRANSPORT,
                                           "udp",
                                           "1.0.0",
                                           "A datagram medium between hosts: UDP multicast, or unicast to a list of peers.",
                                           &kTransport,
                                           nullptr};

}  // namespace
}  // namespace evs::udp

EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1;
const evs_plugin_entry evs_plugin_entry_v1 = {
    EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, EVS_PLUGIN_ABI_MINOR, sizeof(evs_plugin_entry), 1, 0, &evs::udp::kDescriptor};
