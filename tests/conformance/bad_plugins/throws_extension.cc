// SPDX-License-Identifier: BSD-3-Clause
// Throws whenever it is asked for an extension; first of all for its parameters, before there is an instance.
#include "bad.h"

#include <stdexcept>

namespace {
const void* get_extension(evs_transport*, const char*) {
  throw std::runtime_error("thrown by get_extension");
}
}  // namespace

SPOIL(bad::transport.get_extension = get_extension)
GOOD_ENTRY
