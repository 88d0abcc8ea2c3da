// SPDX-License-Identifier: BSD-3-Clause
// tools/top/draw.cc - see draw.h.
#include "tools/top/draw.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace evs::top {
namespace {

constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::string_view kAsciiBlocks[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
static_assert(std::size(kBlocks) == std::size(kAsciiBlocks));
constexpr int kLevels = static_cast<int>(std::size(kBlocks));

// How wide a character is the C library knows, in a locale of UTF-8: its own, whatever the process has chosen.
class Utf8Locale {
 public:
  Utf8Locale() {
    static const locale_t kUtf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (kUtf8 != nullptr) before_ = uselocale(kUtf8);
  }
  ~Utf8Locale() {
    if (before_ != nullptr) uselocale(before_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t before_ = nullptr;
};

struct Glyph {
  size_t bytes = 1, width = 1;
};

Glyph next_glyph(std::string_view text, mbstate_t& state) {
  if (static_cast<unsigned char>(text.front()) < 0x80) return {};
  wchar_t c = 0;
  const size_t bytes = mbrtowc(&c, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) {
    state = {};
    return {};
  }
  const int width = wcwidth(c);
  return {bytes, width < 0 ? 1u : static_cast<size_t>(width)};
}

}  // namespace

std::string sparkline(const std::deque<double>& course, size_t width, bool ascii) {
  const size_t shown = std::min(course.size(), width);
  double most = 0;
  for (size_t i = course.size() - shown; i < course.size(); ++i)
    if (std::isfinite(course[i])) most = std::max(most, course[i]);
  std::string out(width - shown, ' ');
  for (size_t i = course.size() - shown; i < course.size(); ++i) {
    const double share = most > 0 && std::isfinite(course[i]) ? std::max(0.0, course[i]) / most : 0;
    const int level = std::clamp(static_cast<int>(std::ceil(share * kLevels)) - 1, 0, kLevels - 1);
    out += share <= 0 ? " " : ascii ? kAsciiBlocks[level] : kBlocks[level];
  }
  return out;
}

std::string bar(double share, size_t width, bool ascii) {
  const auto full = static_cast<size_t>(std::lround(std::clamp(std::isfinite(share) ? share : 0, 0.0, 1.0) * static_cast<double>(width)));
  std::string out;
  for (size_t i = 0; i < width; ++i) out += i < full ? (ascii ? "#" : "█") : (ascii ? "." : "░");
  return out;
}

size_t width_of(std::string_view utf8) {
  const Utf8Locale locale;
  mbstate_t state{};
  size_t width = 0;
  while (!utf8.empty()) {
    const Glyph glyph = next_glyph(utf8, state);
    width += glyph.width;
    utf8.remove_prefix(glyph.bytes);
  }
  return width;
}

std::string cut(std::string_view utf8, size_t width, bool ascii) {
  if (width_of(utf8) <= width) return std::string(utf8);
  const Utf8Locale locale;
  mbstate_t state{};
  size_t bytes = 0, used = 0;
  while (bytes < utf8.size()) {
    const Glyph glyph = next_glyph(utf8.substr(bytes), state);
    if (used + glyph.width + 1 > width) break;
    used += glyph.width;
    bytes += glyph.bytes;
  }
  return width == 0 ? std::string() : std::string(utf8.substr(0, bytes)) + (ascii ? "~" : "…");
}

std::string to_ascii(std::string_view utf8) {
  const Utf8Locale locale;
  mbstate_t state{};
  std::string out;
  while (!utf8.empty()) {
    const Glyph glyph = next_glyph(utf8, state);
    if (glyph.bytes == 1 && static_cast<unsigned char>(utf8.front()) < 0x80) out += utf8.front();
    else out.append(glyph.width, '?');
    utf8.remove_prefix(glyph.bytes);
  }
  return out;
}

}  // namespace evs::top
