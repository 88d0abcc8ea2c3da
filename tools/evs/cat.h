// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/cat.h - `evs cat`: lines in, lines out, over the bus.
#pragma once

#include "tools/evs/options.h"

namespace evs::tools {

int run_cat(const CatOptions& options);

}  // namespace evs::tools
