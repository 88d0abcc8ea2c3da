// SPDX-License-Identifier: BSD-3-Clause
// Needs a function that nobody has.
#include "bad.h"

extern "C" void no_such_function_anywhere();
void (*needed)() = no_such_function_anywhere;
SPOIL(bad::ordered.reserved = needed != nullptr)
GOOD_ENTRY
