// SPDX-License-Identifier: BSD-3-Clause
// Opens, and throws afterwards, when its instance is asked for an extension.
#include "bad.h"

#include <stdexcept>

namespace {
const void* get_extension(evs_transport* self, const char*) {
  if (self != nullptr) throw std::runtime_error("thrown by get_extension");
  return nullptr;
}
}  // namespace

SPOIL(bad::transport.get_extension = get_extension)
GOOD_ENTRY
