// SPDX-License-Identifier: BSD-3-Clause
// tools/top/sheet.h - a view as a table of values: what the screen draws, and what --csv prints. It knows no widths and no terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evs::top {

enum class Tone : uint8_t { plain, bold, dim, good, warn, bad, bar };

struct Cell {
  std::string text;              // for people
  std::optional<double> number{};  // for sorting and for programs, in base units
  Tone tone = Tone::plain;
};

struct Column {
  std::string title;  // for people
  std::string name;   // for programs, with its unit; empty: a picture, which is for people alone
  bool number = false;
  int rank = 0;       // on a narrow screen the highest goes first; 0 stays
};

struct Row {
  std::vector<Cell> cells;  // as many as there are columns
};

struct Remark {
  std::string text;
  Tone tone = Tone::plain;
};

struct Sheet {
  std::vector<Remark> remarks;  // lines above the table
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::string nothing;  // what to say when there are no rows
};

// Rows in which a cell holds `words`, whatever its case. Empty: all.
void filter(Sheet& sheet, const std::string& words);
// By a column: texts rising, numbers falling, what has no number last; `reverse` turns that round. Beyond the last column: as the view has them.
void sort(Sheet& sheet, size_t column, bool reverse);

// RFC 4180, with the time in front; `heading`: the line of names as well.
std::string csv_of(const Sheet& sheet, const std::string& time, bool heading);

}  // namespace evs::top
