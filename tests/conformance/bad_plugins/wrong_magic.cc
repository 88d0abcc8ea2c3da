// SPDX-License-Identifier: BSD-3-Clause
// Its first word is not ours.
#include "bad.h"

ENTRY(0x12345678, EVS_PLUGIN_ABI_MAJOR, 0, sizeof(evs_plugin_entry), 1, &bad::descriptor)
