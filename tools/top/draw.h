// SPDX-License-Identifier: BSD-3-Clause
// tools/top/draw.h - small pictures of text: sparklines and bars; and how many columns of a terminal a text takes.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace evs::top {

// The newest `width` values, the highest of them as high as the line. A gap at the left where there are fewer.
std::string sparkline(const std::deque<double>& course, size_t width, bool ascii);
// `share` from 0 to 1 of `width` columns.
std::string bar(double share, size_t width, bool ascii);

size_t width_of(std::string_view utf8);
// At most so wide; what does not fit is cut, and a mark says so.
std::string cut(std::string_view utf8, size_t width, bool ascii);
// What is no ASCII as '?', a column each.
std::string to_ascii(std::string_view utf8);

}  // namespace evs::top
