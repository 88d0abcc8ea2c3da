// SPDX-License-Identifier: BSD-3-Clause
// tools/top/svg.h - a screen as a picture, for documents: text on a grid, no script and no font of its own.
#pragma once

#include <string>

#include "tools/top/layout.h"

namespace evs::top {

// `label` stands below it, and says what it shows.
std::string svg_of(const Screen& screen, size_t width, const std::string& label);

}  // namespace evs::top
