// SPDX-License-Identifier: BSD-3-Clause
// tools/top/layout.h - the screen: of a model, of what was chosen, and of a size, lines of text with tones. Pure, and without a terminal, so that a test can hold a
// screen against a text, and a picture can be made of it (svg.h).
#pragma once

#include <string>
#include <vector>

#include "tools/top/model.h"
#include "tools/top/sheet.h"
#include "tools/top/ui.h"

namespace evs::top {

struct Span {
  std::string text;
  Tone tone = Tone::plain;
  bool inverse = false;
};
using Line = std::vector<Span>;
using Screen = std::vector<Line>;

inline constexpr size_t kNoLimit = SIZE_MAX;

// At most `width` columns and `height` lines, and filled up to `height`; kNoLimit: as many as there are, and sentences are not cut but go on in the next line.
Screen layout(const Model& model, const Ui& ui, size_t width, size_t height);
// What a key is pressed at.
Shown shown_at(const Model& model, const Ui& ui, size_t height);

std::string plain_text(const Screen& screen);  // without blanks at the ends

}  // namespace evs::top
