// SPDX-License-Identifier: BSD-3-Clause
// Without append() there is no medium.
#include "bad.h"

SPOIL(bad::ordered.append = nullptr)
GOOD_ENTRY
