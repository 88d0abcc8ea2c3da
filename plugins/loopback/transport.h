// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/transport.h - what the host's opaque pointers point to.
//
// One evs_transport is one membership in a medium. Several in one process that name the same bus share the medium, as
// several processes would share a real one.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "cursor.h"
#include "evs/plugin.h"
#include "medium.h"

struct evs_transport {
  const evs_host* host = nullptr;
  std::shared_ptr<evs::loopback::Medium> medium;
  std::shared_ptr<evs::loopback::Member> self;  // nullptr before start(); guarded by the medium's lock
  uint64_t next_token = 1;                      // of evs.groups/1; guarded by the medium's lock
  uint64_t refused_seen = 0;                    // service thread alone: see service.cc
  uint64_t full_since_ns = 0;
};

struct evs_cursor : evs::loopback::Cursor {
  using Cursor::Cursor;
};

namespace evs::loopback {

extern const evs_ordered_ops kOrderedOps;
extern const evs_service_ops kServiceOps;
const void* find_extension(const char* id);  // those of a transport: groups, introspect, control

// Writes a sentence into the room that the host gave for it.
void say(evs_error_text* error, const std::string& text) noexcept;

// Runs `body` and turns whatever it throws into a status: no exception may reach the host.
template <class Body>
int32_t guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return EVS_P_NO_MEMORY;
  } catch (...) {
    return EVS_P_INTERNAL;
  }
}

}  // namespace evs::loopback
