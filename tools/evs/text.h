// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/text.h - how the tool writes for people: group names, bytes, durations, tables, colour.
//
// A group's key is 32 bytes and no string, but nearly always holds one: a key that is printable text followed by zeros
// is shown (and read) as that text, every other as "hex:" and 64 digits. The two never collide: text that begins with
// "hex:" is itself written in hex.
//
// Colour is for terminals: off when stdout is none, when NO_COLOR is set and not empty (no-color.org), or TERM is
// "dumb".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evs::tools {

using GroupKey = std::array<char, 32>;

// The key that `name` stands for; empty when it is longer than 32 bytes, empty, or malformed hex.
std::optional<GroupKey> parse_group(std::string_view name);
std::string show_group(const char* key);

bool is_utf8(std::string_view bytes);
std::string base64(std::string_view bytes);

// Control characters and bytes that are no UTF-8 as \xNN: what another process put there must not steer a terminal.
std::string printable(std::string_view text);

std::string show_bytes(uint64_t bytes);            // "4.0 MiB", "120 B"
std::string show_duration(uint64_t nanoseconds);   // "235 ns", "1.50 ms", "2 min 5 s"
std::string show_count(double count);              // "1.25 M"
std::string show_time(uint64_t unix_nanoseconds);  // RFC 3339, UTC, nanoseconds

enum class Paint : uint8_t { plain, bold, dim, red, yellow, green };

class Palette {
 public:
  explicit Palette(bool colour) : colour_(colour) {}
  static Palette for_descriptor(int descriptor);
  std::string operator()(Paint paint, std::string_view text) const;

 private:
  bool colour_;
};

// Columns as wide as their widest cell, two spaces between them; numbers to the right.
class Table {
 public:
  struct Column {
    std::string title;
    bool number = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells, Paint paint = Paint::plain);
  std::string render(const Palette& paint, std::string_view indent = "") const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Paint paint;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace evs::tools
