// SPDX-License-Identifier: BSD-3-Clause
// A name that no file can have.
#include "bad.h"

SPOIL(bad::descriptor.name = "Bad Name!")
GOOD_ENTRY
