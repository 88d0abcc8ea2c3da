// SPDX-License-Identifier: BSD-3-Clause
// Nothing is wrong with this one: the others differ from it in one thing.
#include "bad.h"

GOOD_ENTRY
