// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/text.cc - pure functions from values to what is printed.
#include "tools/evs/text.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace evs::tools {

namespace {

constexpr std::string_view kHexPrefix = "hex:";
constexpr char kHexDigits[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length of the UTF-8 sequence at the start of `bytes`, 0 when there is none. Overlong forms, surrogates and what lies
// above U+10FFFF are none (Unicode 15, table 3-7).
size_t utf8_length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto tail = [&](size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < bytes.size() && at(i) >= low && at(i) <= high;
  };
  if (bytes.empty()) return 0;
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Controls of ASCII and their C1 cousins, which terminals obey too.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return sequence.size() == 2 && first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

std::string format(const char* pattern, double value, const char* unit) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value, unit);
  return text;
}

// Columns that a terminal uses: one a UTF-8 sequence is right for all that the tool prints itself.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::optional<GroupKey> parse_group(std::string_view name) {
  GroupKey key{};
  if (name.substr(0, kHexPrefix.size()) == kHexPrefix) {
    const std::string_view digits = name.substr(kHexPrefix.size());
    if (digits.size() != 2 * key.size()) return std::nullopt;
    for (size_t i = 0; i < key.size(); ++i) {
      const int high = hex_value(digits[2 * i]), low = hex_value(digits[2 * i + 1]);
      if (high < 0 || low < 0) return std::nullopt;
      key[i] = static_cast<char>(high * 16 + low);
    }
    return key;
  }
  if (name.empty() || name.size() > key.size()) return std::nullopt;
  std::copy(name.begin(), name.end(), key.begin());
  return key;
}

std::string show_group(const char* key) {
  constexpr size_t kKeyBytes = std::tuple_size_v<GroupKey>;
  const size_t length = strnlen(key, kKeyBytes);
  const std::string_view text(key, length);
  const bool only_zeros_follow = std::all_of(key + length, key + kKeyBytes, [](char c) { return c == '\0'; });
  if (length > 0 && only_zeros_follow && printable(text) == text && text.substr(0, kHexPrefix.size()) != kHexPrefix)
    return std::string(text);
  std::string out(kHexPrefix);
  for (size_t i = 0; i < kKeyBytes; ++i) {
    const auto byte = static_cast<unsigned char>(key[i]);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) three = three << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    out += kDigits[three >> 18];
    out += kDigits[three >> 12 & 63];
    out += have > 1 ? kDigits[three >> 6 & 63] : '=';
    out += have > 2 ? kDigits[three & 63] : '=';
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, std::max<size_t>(length, 1));
    if (length > 0 && !is_control(sequence)) {
      out += sequence;
    } else {
      for (const char c : sequence) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kHexDigits[byte >> 4];
        out += kHexDigits[byte & 15];
      }
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string show_bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return format("%.1f %s", value, kUnits[unit]);
}

std::string show_duration(uint64_t nanoseconds) {
  const double value = static_cast<double>(nanoseconds);
  if (nanoseconds < 1'000) return std::to_string(nanoseconds) + " ns";
  if (nanoseconds < 1'000'000) return format("%.2f %s", value / 1e3, "us");
  if (nanoseconds < 1'000'000'000) return format("%.2f %s", value / 1e6, "ms");
  const uint64_t seconds = nanoseconds / 1'000'000'000;
  if (seconds < 60) return format("%.1f %s", value / 1e9, "s");
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

std::string show_count(double count) {
  if (count < 10'000) return format("%.0f%s", count, "");
  if (count < 1e6) return format("%.1f %s", count / 1e3, "k");
  if (count < 1e9) return format("%.2f %s", count / 1e6, "M");
  return format("%.2f %s", count / 1e9, "G");
}

std::string show_time(uint64_t unix_nanoseconds) {
  const auto seconds = static_cast<time_t>(unix_nanoseconds / 1'000'000'000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32], text[64];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%09uZ", date, static_cast<unsigned>(unix_nanoseconds % 1'000'000'000));
  return text;
}

Palette Palette::for_descriptor(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool refused =
      (no_color != nullptr && *no_color != '\0') || terminal == nullptr || std::string_view(terminal) == "dumb";
  return Palette(!refused && isatty(descriptor) == 1);
}

std::string Palette::operator()(Paint paint, std::string_view text) const {
  static constexpr const char* kCodes[] = {"", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m"};
  if (!colour_ || paint == Paint::plain || text.empty()) return std::string(text);
  return kCodes[static_cast<size_t>(paint)] + std::string(text) + "\x1b[0m";
}

void Table::row(std::vector<std::string> cells, Paint paint) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), paint});
}

std::string Table::render(const Palette& paint, std::string_view indent) const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = width_of(columns_[c].title);
    for (const Row& row : rows_) width = std::max(width, width_of(row.cells[c]));
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of, Paint with) {
    std::string text;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string& cell = cell_of(c);
      const std::string pad(widths[c] - width_of(cell), ' ');
      if (c > 0) text += "  ";
      text += columns_[c].number ? pad + cell : cell + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return std::string(indent) + paint(with, text) + "\n";
  };
  std::string out = line([&](size_t c) -> const std::string& { return columns_[c].title; }, Paint::dim);
  for (const Row& row : rows_) out += line([&](size_t c) -> const std::string& { return row.cells[c]; }, row.paint);
  return out;
}

}  // namespace evs::tools
