// SPDX-License-Identifier: BSD-3-Clause
// Fails to open: with a sentence, without one, and by success without a transport.
#include "bad.h"

#include <cstring>

namespace {
int32_t create(const evs_host*, const evs_plugin_parameter*, size_t count, evs_transport**, evs_error_text* error) {
  if (count == 0) std::strncpy(error->text, "the cable is not plugged in", error->capacity - 1);
  return count == 2 ? EVS_P_OK : EVS_P_NO_SPACE;
}
}  // namespace

SPOIL(bad::transport.create = create)
GOOD_ENTRY
