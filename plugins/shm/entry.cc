// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/entry.cc - the C tables. No exception passes: each function that can throw is wrapped.
#include <string.h>

#include <new>
#include <stdexcept>

#include "plugins/shm/cursor.h"
#include "plugins/shm/transport.h"

namespace evs::plugin_shm {

namespace {

static_assert(static_cast<int32_t>(shm::Code::again) == EVS_P_AGAIN && static_cast<int32_t>(shm::Code::too_big) == EVS_P_TOO_BIG &&
              static_cast<int32_t>(shm::Code::bad_parameter) == EVS_P_BAD_PARAMETER &&
              static_cast<int32_t>(shm::Code::no_memory) == EVS_P_NO_MEMORY && static_cast<int32_t>(shm::Code::no_space) == EVS_P_NO_SPACE &&
              static_cast<int32_t>(shm::Code::no_resources) == EVS_P_NO_RESOURCES && static_cast<int32_t>(shm::Code::access) == EVS_P_ACCESS &&
              static_cast<int32_t>(shm::Code::version) == EVS_P_VERSION && static_cast<int32_t>(shm::Code::corrupt) == EVS_P_CORRUPT &&
              static_cast<int32_t>(shm::Code::timeout) == EVS_P_TIMEOUT && static_cast<int32_t>(shm::Code::not_supported) == EVS_P_NOT_SUPPORTED &&
              static_cast<int32_t>(shm::Code::expelled) == EVS_P_EXPELLED && static_cast<int32_t>(shm::Code::closed) == EVS_P_CLOSED &&
              static_cast<int32_t>(shm::Code::interrupted) == EVS_P_INTERRUPTED && static_cast<int32_t>(shm::Code::nested) == EVS_P_NESTED &&
              static_cast<int32_t>(shm::Code::internal) == EVS_P_INTERNAL);

Transport& of(evs_transport* t) { return *reinterpret_cast<Transport*>(t); }
Cursor& of(evs_cursor* c) { return *reinterpret_cast<Cursor*>(c); }

int32_t answer(const shm::Status& status, evs_error_text* error) {
  if (!status.ok() && error != nullptr && error->capacity != 0) {
    const size_t n = std::min(status.text.size(), error->capacity - 1);
    memcpy(error->text, status.text.data(), n);
    error->text[n] = 0;
  }
  return static_cast<int32_t>(status.code);
}

template <class F>
int32_t guarded(F&& body, evs_error_text* error = nullptr) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return answer(shm::Status::fail(shm::Code::no_memory, "out of memory"), error);
  } catch (const std::exception& e) {
    return answer(shm::Status::fail(shm::Code::internal, e.what()), error);
  } catch (...) {
    return answer(shm::Status::fail(shm::Code::internal, "an unknown exception"), error);
  }
}

int32_t create(const evs_host* host, const evs_plugin_parameter* parameters, size_t count, evs_transport** out,
               evs_error_text* error) {
  return guarded(
      [&] {
        Parameters p;
        if (shm::Status s = read_parameters(parameters, count, p); !s.ok()) return answer(s, error);
        auto transport = std::make_unique<Transport>(host, std::move(p));
        if (shm::Status s = transport->open(); !s.ok()) return answer(s, error);
        *out = reinterpret_cast<evs_transport*>(transport.release());
        return EVS_P_OK;
      },
      error);
}

int32_t start(evs_transport* self, uint64_t timeout_ns, evs_error_text* error) {
  return guarded([&] { return answer(of(self).start(timeout_ns), error); }, error);
}
void stop(evs_transport* self) {
  guarded([&] {
    of(self).stop();
    return EVS_P_OK;
  });
}
void destroy(evs_transport* self) { delete &of(self); }

// --- the service thread

int32_t service_begin(void* self) {
  return guarded([&] { return static_cast<Transport*>(self)->begin_service(); });
}
void service_work(void* self, uint64_t now_ns, uint64_t* next_ns) {
  guarded([&] {
    static_cast<Transport*>(self)->work(now_ns, *next_ns);
    return EVS_P_OK;
  });
}
int32_t service_fd(void* self) { return static_cast<Transport*>(self)->service_fd(); }
void service_end(void* self) {
  guarded([&] {
    static_cast<Transport*>(self)->end_service();
    return EVS_P_OK;
  });
}

// --- the ordered medium

void limits(evs_transport* self, evs_ordered_limits* out) {
  const Parameters& p = of(self).parameters();
  *out = {sizeof *out, p.shape.max_members, p.shape.message_limit, shm::kMaxGroups, shm::kCursors};
}
void self_member(evs_transport* self, evs_ordered_member* out) { *out = of(self).self(); }
int32_t append(evs_transport* self, const evs_append* frame, uint64_t* position, void (*before_commit)(void*, uint64_t), void* context) {
  return static_cast<int32_t>(of(self).append(*frame, *position, before_commit, context));
}
int32_t room(evs_transport* self, evs_cursor* cursor, size_t size, uint32_t group_count) {
  return guarded([&] { return of(self).room(reinterpret_cast<Cursor*>(cursor), size, group_count); });
}
int32_t wait_room(evs_transport* self, size_t size, uint32_t group_count, uint64_t timeout_ns) {
  return guarded([&] { return of(self).wait_room(size, group_count, timeout_ns); });
}
int32_t membership(evs_transport* self, void* buffer, size_t size, size_t* needed) {
  return guarded([&] { return of(self).membership(buffer, size, needed); });
}
int32_t cursor_open(evs_transport* self, evs_cursor** out) {
  return guarded([&] {
    Cursor* cursor = nullptr;
    const int32_t status = of(self).open_cursor(cursor);
    *out = reinterpret_cast<evs_cursor*>(cursor);
    return status;
  });
}
void cursor_close(evs_cursor* cursor) {
  guarded([&] {
    of(cursor).transport.close_cursor(&of(cursor));
    return EVS_P_OK;
  });
}
int32_t watch(evs_cursor* cursor, void* buffer, size_t size, size_t* needed) {
  return guarded([&] { return of(cursor).watch(buffer, size, needed); });
}
void park(evs_cursor* cursor) { of(cursor).park(); }
int32_t interest_add(evs_cursor* cursor, const evs_plugin_group* groups, uint32_t count) {
  return guarded([&] { return of(cursor).interest_add(groups, count); });
}
void interest_remove(evs_cursor* cursor, const evs_plugin_group* groups, uint32_t count) {
  guarded([&] {
    of(cursor).interest_remove(groups, count);
    return EVS_P_OK;
  });
}
int32_t read_frames(evs_cursor* cursor, evs_read* request) {
  return guarded([&] { return of(cursor).read(*request); });
}
int32_t pending(evs_cursor* cursor) { return of(cursor).pending(); }
int32_t wait(evs_cursor* cursor, uint64_t timeout_ns) { return of(cursor).wait(timeout_ns); }
void wake(evs_cursor* cursor) { of(cursor).wake(); }
int32_t cursor_fd(evs_cursor* cursor) {
  int32_t fd = -1;
  guarded([&] {
    fd = of(cursor).fd();
    return EVS_P_OK;
  });
  return fd;
}
int32_t arm(evs_cursor* cursor) { return of(cursor).arm(); }
void ring(evs_cursor* cursor) { of(cursor).ring(); }
uint64_t lag(evs_cursor* cursor) { return of(cursor).lag(); }
void usage(evs_transport* self, evs_ordered_usage* out) { of(self).usage(*out); }
int32_t rejoin(evs_transport* self, uint64_t* lost, evs_error_text* error) {
  return guarded([&] { return answer(of(self).rejoin(*lost), error); }, error);
}

// --- extensions

int32_t announce(evs_transport* self, const evs_plugin_group* group, uint64_t* token) {
  return guarded([&] { return of(self).announce(group->key, *token); });
}
void stamp_join(evs_transport* self, uint64_t token, uint64_t position) { of(self).own_groups().stamp_join(token, position); }
void stamp_leave(evs_transport* self, uint64_t token, uint64_t position) {
  guarded([&] {
    of(self).own_groups().stamp_leave(token, position);
    return EVS_P_OK;
  });
}
void retract(evs_transport* self, uint64_t token) {
  guarded([&] {
    of(self).own_groups().retract(token);
    return EVS_P_OK;
  });
}
int32_t members(evs_transport* self, const evs_plugin_group* group, uint64_t position,
                void (*visit)(void*, const evs_ordered_member*), void* context) {
  return guarded([&] {
    of(self).group_members(group->key, position, [&](const evs_ordered_member& m) { visit(context, &m); });
    return EVS_P_OK;
  });
}
size_t dump(evs_transport* self, char* text, size_t capacity) {
  size_t n = 0;
  guarded([&] {
    n = of(self).dump(text, capacity);
    return EVS_P_OK;
  });
  return n;
}

int32_t role_open(evs_transport* self, evs_cursor** out, uint64_t* position) {
  return guarded([&] {
    Cursor* cursor = nullptr;
    const int32_t status = of(self).open_role(cursor, *position);
    *out = reinterpret_cast<evs_cursor*>(cursor);
    return status;
  });
}
int32_t role_keep(evs_transport* self, uint64_t position) {
  return guarded([&] { return of(self).keep_role(position); });
}
int32_t role_begin_at(evs_cursor* cursor, uint64_t position) { return of(cursor).begin_at(position); }
int32_t role_settle(evs_transport* self, uint64_t position, uint32_t* committed) {
  return guarded([&] { return of(self).settle(position, *committed); });
}

int32_t stats_add(evs_transport* self, uint32_t word, uint64_t n) { return of(self).add_to_stats(word, n); }

const void* get_extension(evs_transport*, const char* id) {
  static constexpr evs_groups_extension kGroups = {sizeof(evs_groups_extension), 0, announce, stamp_join, stamp_leave, retract, members};
  static constexpr evs_introspect_extension kIntrospect = {sizeof(evs_introspect_extension), 0, dump};
  static constexpr evs_role_extension kRole = {sizeof(evs_role_extension), 0, role_open, role_keep, role_begin_at, role_settle};
  static constexpr evs_stats_extension kStats = {sizeof(evs_stats_extension), shm::kCounterRoom, stats_add};
  if (strcmp(id, EVS_EXTENSION_GROUPS) == 0) return &kGroups;
  if (strcmp(id, EVS_EXTENSION_STATS) == 0) return &kStats;
  if (strcmp(id, EVS_EXTENSION_ROLE) == 0) return &kRole;
  if (strcmp(id, EVS_EXTENSION_INTROSPECT) == 0) return &kIntrospect;
  if (strcmp(id, EVS_EXTENSION_PARAMS) == 0) return parameter_table();
  return nullptr;
}

constexpr evs_ordered_ops kOrdered = {
    sizeof(evs_ordered_ops), 0, limits, self_member, append, room, wait_room, membership, cursor_open, cursor_close, watch, park,
    interest_add, interest_remove, read_frames, pending, wait, wake, cursor_fd, arm, ring, lag, usage, rejoin};
constexpr evs_service_ops kService = {sizeof(evs_service_ops), 0, service_begin, service_work, service_fd, service_end};
constexpr evs_transport_ops kTransport = {
    sizeof(evs_transport_ops), EVS_MEDIUM_ORDERED, EVS_CAP_TELLS_STABILITY | EVS_CAP_SAME_HOST, create, start, stop, destroy, &kService,
    nullptr, &kOrdered, get_extension};
constexpr evs_plugin_descriptor kDescriptor = {
    sizeof(evs_plugin_descriptor), EVS_KIND_TRANSPORT, "shm", "1.0.0", "Processes of one host, ordered by a ring in shared memory.",
    &kTransport, nullptr};

}  // namespace
}  // namespace evs::plugin_shm

extern "C" {
EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1;
const evs_plugin_entry evs_plugin_entry_v1 = {
    EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, EVS_PLUGIN_ABI_MINOR, sizeof(evs_plugin_entry), 1, 0, &evs::plugin_shm::kDescriptor};
}
