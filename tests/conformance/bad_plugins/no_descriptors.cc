// SPDX-License-Identifier: BSD-3-Clause
// It holds nothing.
#include "bad.h"

ENTRY(EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, 0, sizeof(evs_plugin_entry), 0, nullptr)
