// SPDX-License-Identifier: BSD-3-Clause
// Opens, and throws afterwards: when its instance is asked for an extension, and when the service thread asks for its
// descriptor. A line in the log says that it was asked.
#include "bad.h"

#include <stdexcept>

namespace {
const evs_host* host;

int32_t create(const evs_host* given, const evs_plugin_parameter*, size_t, evs_transport** out, evs_error_text*) {
  host = given;
  return bad::create(nullptr, nullptr, 0, out, nullptr);
}
const void* get_extension(evs_transport* self, const char*) {
  if (self != nullptr) throw std::runtime_error("thrown by get_extension");
  return nullptr;
}
int32_t fd(void*) {
  host->log(host->context, EVS_HOST_LOG_ERROR, "fd", "about to throw", 14);
  throw std::runtime_error("thrown by fd");
}
const evs_service_ops service = {sizeof(evs_service_ops), 0, nullptr, nullptr, fd, nullptr};
}  // namespace

SPOIL(bad::transport.create = create; bad::transport.get_extension = get_extension; bad::transport.service = &service)
GOOD_ENTRY
