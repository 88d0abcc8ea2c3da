// SPDX-License-Identifier: BSD-3-Clause
// Throws from every function that the host wraps.
#include "bad.h"

#include <stdexcept>

namespace {
int32_t create(const evs_host*, const evs_plugin_parameter*, size_t count, evs_transport** out, evs_error_text*) {
  if (count == 0) throw std::runtime_error("the disk is on fire");
  if (count == 1) throw 42;
  return bad::create(nullptr, nullptr, 0, out, nullptr);
}
int32_t start(evs_transport*, uint64_t, evs_error_text*) {
  throw std::runtime_error("thrown by start");
}
void stop(evs_transport*) {
  throw std::runtime_error("thrown by stop");
}
void destroy(evs_transport*) {
  throw std::runtime_error("thrown by destroy");
}
int32_t begin(void*) {
  throw std::runtime_error("thrown by begin");
}
void work(void*, uint64_t, uint64_t*) {
  throw std::runtime_error("thrown by work");
}
const evs_service_ops service = {sizeof(evs_service_ops), 0, begin, work, nullptr, nullptr};
}  // namespace

SPOIL(bad::transport.create = create; bad::transport.start = start; bad::transport.stop = stop;
      bad::transport.destroy = destroy; bad::transport.service = &service)
GOOD_ENTRY
