// SPDX-License-Identifier: BSD-3-Clause
// Opens, and throws when the service thread asks for its descriptor.
#include "bad.h"

#include <stdexcept>

namespace {
int32_t fd(void*) { throw std::runtime_error("thrown by fd"); }
const evs_service_ops service = {sizeof(evs_service_ops), 0, nullptr, nullptr, fd, nullptr};
}  // namespace

SPOIL(bad::transport.service = &service)
GOOD_ENTRY
