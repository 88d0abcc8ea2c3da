// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/ordered.cc - the table of an ordered medium, each entry a line that leads to the class behind it.
//
// Here C becomes C++ and exceptions end. What is [nonblock] and cannot throw needs no guard; what allocates has one.
#include <unistd.h>

#include "transport.h"

namespace evs::loopback {
namespace {

void limits(evs_transport* self, evs_ordered_limits* out) {
  out->members = self->medium->member_limit();
  out->message_bytes = self->medium->message_limit();
  out->groups_per_message = kGroupsPerMessage;
  out->cursors = 4096;  // no bound of ours: descriptors are the host's to spend
}

void self(evs_transport* self, evs_ordered_member* out) {
  const Hold hold(self->medium->lock);
  *out = self->self->who;
}

int32_t append(evs_transport* self, const evs_append* frame, uint64_t* position,
               void (*before_commit)(void* context, uint64_t position), void* context) {
  return self->medium->append(*self->self, *frame, position, before_commit, context);
}

int32_t room(evs_transport* self, evs_cursor* cursor, size_t size, uint32_t group_count) {
  return self->medium->room(*self->self, cursor, size, group_count);
}

int32_t wait_room(evs_transport* self, size_t size, uint32_t group_count, uint64_t timeout_ns) {
  return self->medium->wait_room(*self->self, size, group_count, deadline_after(timeout_ns));
}

int32_t membership(evs_transport* self, void* buffer, size_t buffer_size, size_t* needed) {
  const Hold hold(self->medium->lock);
  return self->medium->membership()->write(buffer, buffer_size, needed);
}

int32_t cursor_open(evs_transport* self, evs_cursor** out) {
  return guarded([&] {
    *out = new evs_cursor(*self->medium, *self);
    return EVS_P_OK;
  });
}

void cursor_close(evs_cursor* cursor) {
  delete cursor;
}

int32_t watch(evs_cursor* cursor, void* buffer, size_t buffer_size, size_t* needed) {
  return cursor->watch(buffer, buffer_size, needed);
}

void park(evs_cursor* cursor) {
  cursor->park();
}

int32_t interest_add(evs_cursor* cursor, const evs_plugin_group* groups, uint32_t count) {
  return guarded([&] {
    cursor->interest_add(groups, count);
    return EVS_P_OK;
  });
}

void interest_remove(evs_cursor* cursor, const evs_plugin_group* groups, uint32_t count) {
  cursor->interest_remove(groups, count);
}

int32_t read(evs_cursor* cursor, evs_read* request) {
  return cursor->read(*request);
}
int32_t pending(evs_cursor* cursor) {
  return cursor->has_something() ? 1 : 0;
}
int32_t wait(evs_cursor* cursor, uint64_t timeout_ns) {
  return cursor->wait(timeout_ns);
}
void wake(evs_cursor* cursor) {
  cursor->wake();
}
int32_t fd(evs_cursor* cursor) {
  return cursor->fd();
}
int32_t arm(evs_cursor* cursor) {
  return cursor->arm();
}
void ring(evs_cursor* cursor) {
  cursor->ring();
}
uint64_t lag(evs_cursor* cursor) {
  return cursor->lag();
}

void usage(evs_transport* self, evs_ordered_usage* out) {
  const Hold hold(self->medium->lock);
  const Cursor* holder = self->medium->furthest_behind();
  out->holder_nodeid = holder == nullptr ? 0 : holder->member().who.nodeid;
  out->holder_pid = holder == nullptr ? 0 : holder->member().who.pid;
  out->capacity_bytes = self->medium->capacity();
  out->used_bytes = self->medium->used();
}

int32_t rejoin(evs_transport* self, uint64_t* lost, evs_error_text* error) {
  return guarded([&] {
    std::shared_ptr<Member> member;
    const int32_t status = self->medium->join(getpid(), deadline_after(5'000'000'000), member);
    if (status != EVS_P_OK) {
      say(error, "the loopback medium took no new member within 5 s: a reader holds all of its room");
      return status;
    }
    const Hold hold(self->medium->lock);
    if (lost != nullptr) *lost = self->self->lost;
    self->self = member;
    return EVS_P_OK;
  });
}

}  // namespace

const evs_ordered_ops kOrderedOps = {sizeof(evs_ordered_ops),
                                     0,
                                     limits,
                                     self,
                                     append,
                                     room,
                                     wait_room,
                                     membership,
                                     cursor_open,
                                     cursor_close,
                                     watch,
                                     park,
                                     interest_add,
                                     interest_remove,
                                     read,
                                     pending,
                                     wait,
                                     wake,
                                     fd,
                                     arm,
                                     ring,
                                     lag,
                                     usage,
                                     rejoin};

}  // namespace evs::loopback
