// SPDX-License-Identifier: BSD-3-Clause
// Its entry is shorter than any has been.
#include "bad.h"

ENTRY(EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, 0, 8, 1, &bad::descriptor)
