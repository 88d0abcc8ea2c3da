// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/service.cc - what the bus's service thread does for this transport: it names who holds the room.
//
// append() may neither log nor block, so it only counts a refusal. Once every 100 ms the service thread looks whether
// that count rose while somebody held the room all the time, and then says who. That is all a medium of one process
// needs; a transport with sockets would name its descriptor in fd() and read it in work().
#include <string>

#include "transport.h"

namespace evs::loopback {
namespace {

constexpr uint64_t kPatienceNs = 100'000'000;

void log(const evs_host& host, int32_t level, const char* kind, const std::string& text) {
  host.log(host.context, level, kind, text.data(), text.size());
}

void name_the_holder(evs_transport& self) {
  evs_ordered_usage usage{};
  usage.struct_size = sizeof(usage);
  kOrderedOps.usage(&self, &usage);
  if (usage.holder_nodeid == 0) return;
  log(*self.host, EVS_HOST_LOG_WARNING, "ring.full",
      "the ring has had no room for 100 ms: processor " +
          std::to_string(usage.holder_nodeid) + " (pid " + std::to_string(usage.holder_pid) + ") holds " +
          std::to_string(usage.used_bytes) + " bytes it has not read");
}

int32_t begin(void*) {
  return EVS_P_OK;
}

void work(void* context, uint64_t now, uint64_t* next) {
  auto& self = *static_cast<evs_transport*>(context);
  *next = now + kPatienceNs;
  uint64_t refused = 0;
  {
    const Hold hold(self.medium->lock);
    refused = self.medium->refused();
  }
  const bool full = refused != self.refused_seen;
  self.refused_seen = refused;
  if (!full) {
    self.full_since_ns = 0;
  } else if (self.full_since_ns == 0) {
    self.full_since_ns = now;
  } else if (now - self.full_since_ns >= kPatienceNs) {
    guarded([&] { return name_the_holder(self), EVS_P_OK; });
  }
}

int32_t fd(void*) {
  return -1;
}

void end(void*) {}

}  // namespace

const evs_service_ops kServiceOps = {sizeof(evs_service_ops), 0, begin, work, fd, end};

}  // namespace evs::loopback
