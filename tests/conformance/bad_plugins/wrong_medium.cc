// SPDX-License-Identifier: BSD-3-Clause
// A medium that is neither.
#include "bad.h"

SPOIL(bad::transport.medium = 7)
GOOD_ENTRY
