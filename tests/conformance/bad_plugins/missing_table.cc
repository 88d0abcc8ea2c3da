// SPDX-License-Identifier: BSD-3-Clause
// An ordered medium without its table.
#include "bad.h"

SPOIL(bad::transport.ordered = nullptr)
GOOD_ENTRY
