// SPDX-License-Identifier: BSD-3-Clause
// Built for another ABI.
#include "bad.h"

ENTRY(EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR + 1, 0, sizeof(evs_plugin_entry), 1, &bad::descriptor)
