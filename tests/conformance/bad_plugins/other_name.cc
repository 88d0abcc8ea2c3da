// SPDX-License-Identifier: BSD-3-Clause
// A good plugin in a file of another name.
#include "bad.h"

SPOIL(bad::descriptor.name = "somebody-else")
GOOD_ENTRY
