// SPDX-License-Identifier: BSD-3-Clause
// A kind that nobody knows.
#include "bad.h"

SPOIL(bad::descriptor.kind = 9)
GOOD_ENTRY
