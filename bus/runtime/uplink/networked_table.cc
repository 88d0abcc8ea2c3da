// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/networked_table.cc - the networked bus as a transport: the tables of evs/plugin.h, in C, which no exception leaves.
#include <cstring>
#include <new>
#include <stdexcept>

#include "bus/runtime/uplink/networked.h"
#include "shm/counters.h"

namespace evs::runtime::uplink {
namespace {

Networked& of(evs_transport* self) { return *reinterpret_cast<Networked*>(self); }
NetworkedCursor& of(evs_cursor* cursor) { return *reinterpret_cast<NetworkedCursor*>(cursor); }
const evs_ordered_ops& order_of(evs_cursor* cursor) { return of(cursor).bus.order().ops(); }

int32_t say(evs_error_text* error, const PluginFailure& failure) {
  if (error != nullptr && error->capacity != 0) {
    const size_t bytes = std::min(failure.text.size(), error->capacity - 1);
    std::memcpy(error->text, failure.text.data(), bytes);
    error->text[bytes] = 0;
  }
  switch (failure.code) {
    case CS_ERR_TIMEOUT: return EVS_P_TIMEOUT;
    case CS_ERR_ACCESS: return EVS_P_ACCESS;
    case CS_ERR_VERSION: return EVS_P_VERSION;
    case CS_ERR_NO_MEMORY: return EVS_P_NO_MEMORY;
    case CS_ERR_NO_SPACE: return EVS_P_NO_SPACE;
    case CS_ERR_NO_RESOURCES: return EVS_P_NO_RESOURCES;
    case CS_ERR_INVALID_PARAM: return EVS_P_BAD_PARAMETER;
    default: return EVS_P_INTERNAL;
  }
}

template <class Body>
int32_t guarded(Body&& body, evs_error_text* error = nullptr) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return say(error, {CS_ERR_NO_MEMORY, "out of memory"});
  } catch (const std::exception& what) {
    return say(error, {CS_ERR_LIBRARY, what.what()});
  }
}

int32_t create(const evs_host* host, const evs_plugin_parameter*, size_t, evs_transport** out, evs_error_text* error) {
  return guarded(
      [&] {
        const auto& making = *static_cast<const Making*>(host->context);
        auto made = Networked::create(making);
        if (!made) return *making.failure = made.failure(), say(error, made.failure());
        *out = reinterpret_cast<evs_transport*>(made->release());
        return EVS_P_OK;
      },
      error);
}
int32_t start(evs_transport* self, uint64_t timeout_ns, evs_error_text* error) {
  return guarded(
      [&] {
        const auto failure = of(self).start(timeout_ns);
        return failure ? of(self).say_why(*failure), say(error, *failure) : EVS_P_OK;
      },
      error);
}
void stop(evs_transport* self) {
  guarded([&] { return of(self).stop(), EVS_P_OK; });
}
void destroy(evs_transport* self) { delete &of(self); }

int32_t service_begin(void* self) {
  return guarded([&] { return static_cast<Networked*>(self)->begin(); });
}
// Not guarded: what it throws is told by who calls it, and the bus is closed for this process (plugin_instance.h).
void service_work(void* self, uint64_t now_ns, uint64_t* next_ns) { *next_ns = static_cast<Networked*>(self)->work(now_ns); }
int32_t service_fd(void* self) { return static_cast<Networked*>(self)->fd(); }
void service_end(void* self) {
  guarded([&] { return static_cast<Networked*>(self)->end(), EVS_P_OK; });
}

void limits(evs_transport* self, evs_ordered_limits* out) { of(self).limits(*out); }
void self_member(evs_transport* self, evs_ordered_member* out) { *out = of(self).self(); }
int32_t append(evs_transport* self, const evs_append* frame, uint64_t* position, void (*before)(void*, uint64_t), void* context) {
  return of(self).append(*frame, position, before, context);
}
int32_t room(evs_transport* self, evs_cursor* cursor, size_t size, uint32_t group_count) {
  return guarded([&] { return of(self).room(reinterpret_cast<NetworkedCursor*>(cursor), size, group_count); });
}
int32_t wait_room(evs_transport* self, size_t size, uint32_t group_count, uint64_t timeout_ns) { return of(self).wait_room(size, group_count, timeout_ns); }
int32_t membership(evs_transport* self, void* buffer, size_t size, size_t* needed) {
  return guarded([&] { return of(self).membership(buffer, size, needed); });
}

int32_t cursor_open(evs_transport* self, evs_cursor** out) {
  return guarded([&] {
    NetworkedCursor* cursor = nullptr;
    const int32_t status = of(self).open_cursor(cursor);
    *out = reinterpret_cast<evs_cursor*>(cursor);
    return status;
  });
}
void cursor_close(evs_cursor* cursor) {
  of(cursor).bus.forget_waiting(&of(cursor));
  order_of(cursor).cursor_close(of(cursor).inner);
  delete &of(cursor);
}
int32_t watch(evs_cursor* cursor, void* buffer, size_t size, size_t* needed) {
  return guarded([&] { return of(cursor).watch(buffer, size, needed); });
}
void park(evs_cursor* cursor) { of(cursor).park(); }
int32_t interest_add(evs_cursor* cursor, const evs_plugin_group* groups, uint32_t count) { return order_of(cursor).interest_add(of(cursor).inner, groups, count); }
void interest_remove(evs_cursor* cursor, const evs_plugin_group* groups, uint32_t count) { order_of(cursor).interest_remove(of(cursor).inner, groups, count); }
int32_t read_frames(evs_cursor* cursor, evs_read* request) {
  return guarded([&] { return of(cursor).read(*request); });
}
int32_t pending(evs_cursor* cursor) { return order_of(cursor).pending(of(cursor).inner); }
int32_t wait(evs_cursor* cursor, uint64_t timeout_ns) { return order_of(cursor).wait(of(cursor).inner, timeout_ns); }
void wake(evs_cursor* cursor) { order_of(cursor).wake(of(cursor).inner); }
int32_t cursor_fd(evs_cursor* cursor) { return order_of(cursor).fd(of(cursor).inner); }
int32_t arm(evs_cursor* cursor) { return order_of(cursor).arm(of(cursor).inner); }
void ring(evs_cursor* cursor) { order_of(cursor).ring(of(cursor).inner); }
uint64_t lag(evs_cursor* cursor) { return order_of(cursor).lag(of(cursor).inner); }
void usage(evs_transport* self, evs_ordered_usage* out) { of(self).usage(*out); }
int32_t rejoin(evs_transport* self, uint64_t* lost, evs_error_text* error) {
  return guarded([&] { return of(self).rejoin(lost, error); }, error);
}

// Joins and leaves travel in the order, and who is in a group comes with each join: there is nothing to announce.
int32_t announce(evs_transport*, const evs_plugin_group*, uint64_t* token) {
  *token = 0;
  return EVS_P_OK;
}
void stamp(evs_transport*, uint64_t, uint64_t) {}
void retract(evs_transport*, uint64_t) {}
int32_t members(evs_transport* self, const evs_plugin_group* group, uint64_t position, void (*visit)(void*, const evs_ordered_member*), void* context) {
  return guarded([&] { return of(self).members_of(*group, position, visit, context); });
}
const evs_groups_extension kGroups = {sizeof(evs_groups_extension), 0, announce, stamp, stamp, retract, members};

int32_t stats_add(evs_transport* self, uint32_t word, uint64_t n) { return of(self).add_to_stats(word, n); }
const evs_stats_extension kStats = {sizeof(evs_stats_extension), shm::kCounterRoom, stats_add};

const void* get_extension(evs_transport*, const char* id) {
  if (std::strcmp(id, EVS_EXTENSION_STATS) == 0) return &kStats;
  return std::strcmp(id, EVS_EXTENSION_GROUPS) == 0 ? &kGroups : nullptr;
}

const evs_ordered_ops kOrdered = {sizeof(evs_ordered_ops), 0, limits, self_member, append, room, wait_room, membership, cursor_open, cursor_close, watch, park,
                                  interest_add, interest_remove, read_frames, pending, wait, wake, cursor_fd, arm, ring, lag, usage, rejoin};
const evs_service_ops kService = {sizeof(evs_service_ops), 0, service_begin, service_work, service_fd, service_end};
const evs_transport_ops kTransport = {sizeof(evs_transport_ops), EVS_MEDIUM_ORDERED, 0, create, start, stop, destroy, &kService, nullptr, &kOrdered, get_extension};

}  // namespace

const evs_plugin_descriptor& networked_descriptor() {
  static constexpr evs_plugin_descriptor kDescriptor = {sizeof(evs_plugin_descriptor), EVS_KIND_TRANSPORT, "networked", "1",
                                                        "Two rings of this host and its gateway on the ring of hosts.", &kTransport, nullptr};
  return kDescriptor;
}

}  // namespace evs::runtime::uplink
