// SPDX-License-Identifier: BSD-3-Clause
// It forgot struct_size.
#include "bad.h"

SPOIL(bad::ordered.struct_size = 0)
GOOD_ENTRY
