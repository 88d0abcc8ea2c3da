// SPDX-License-Identifier: BSD-3-Clause
// tools/top/svg.cc - see svg.h.
#include "tools/top/svg.h"

#include <cstdio>

#include "tools/top/draw.h"

namespace evs::top {
namespace {

constexpr double kColumn = 8.4, kLine = 18, kMargin = 12, kText = 14;
constexpr const char* kColours[] = {"#d4d4d4", "#ffffff", "#8a8a8a", "#6cc070", "#e0b050", "#f06060", "#5c9fd6"};  // by tone
constexpr const char* kBackground = "#16191d";

// `blank`: in a title words are words; on the grid it is one that nobody takes for several, or for none.
std::string escaped(const std::string& text, const char* blank = "&#160;") {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (c == ' ') out += blank;
    else out += c;
  }
  return out;
}

std::string format(const char* pattern, auto... values) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string span_at(const Span& span, size_t column, size_t line) {
  const double x = kMargin + kColumn * static_cast<double>(column), y = kMargin + kLine * static_cast<double>(line), wide = kColumn * static_cast<double>(width_of(span.text));
  std::string out;
  const char* colour = kColours[static_cast<size_t>(span.tone)];
  if (span.inverse) {
    out += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, wide, kLine, colour);
    colour = kBackground;
  }
  const size_t begin = span.text.find_first_not_of(' ');
  if (begin == std::string::npos) return out;
  const std::string words = span.text.substr(begin, span.text.find_last_not_of(' ') + 1 - begin);
  // Its length is told, so that another font of the reader's moves no column.
  out += format("<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" fill=\"%s\"%s>", x + kColumn * static_cast<double>(begin), y + kText, kColumn * static_cast<double>(width_of(words)), colour,
                span.tone == Tone::bold ? " font-weight=\"bold\"" : "");
  return out + escaped(words) + "</text>\n";
}

}  // namespace

std::string svg_of(const Screen& screen, size_t width, const std::string& label) {
  const double wide = 2 * kMargin + kColumn * static_cast<double>(width), high = 2 * kMargin + kLine * static_cast<double>(screen.size() + 1);
  std::string out = format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" ", wide, high, wide, high);
  out += format("font-family=\"DejaVu Sans Mono,Menlo,Consolas,monospace\" font-size=\"%.0f\">\n", kText);
  out += "<title>" + escaped(label, " ") + "</title>\n";
  out += format("<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"%s\"/>\n", kBackground);
  for (size_t line = 0; line < screen.size(); ++line) {
    size_t column = 0;
    for (const Span& span : screen[line]) {
      out += span_at(span, column, line);
      column += width_of(span.text);
    }
  }
  out += span_at({cut(label, width, false), Tone::dim}, 0, screen.size());
  return out + "</svg>\n";
}

}  // namespace evs::top
