// SPDX-License-Identifier: BSD-3-Clause
// tools/top/sheet.cc - see sheet.h.
#include "tools/top/sheet.h"

#include <algorithm>
#include <cctype>
#include <cfloat>
#include <cmath>
#include <cstdio>

namespace evs::top {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool has_number(const Cell& cell) { return cell.number && !std::isnan(*cell.number); }

bool before(const Cell& a, const Cell& b, bool numbers, bool reverse) {
  if (!numbers) return reverse ? b.text < a.text : a.text < b.text;
  if (!has_number(a) || !has_number(b)) return has_number(a) && !has_number(b);
  return reverse ? *a.number < *b.number : *b.number < *a.number;
}

// A spreadsheet would take text that begins so for a formula, and the names of processes and groups are whatever somebody chose.
bool is_formula(const std::string& text) { return !text.empty() && std::string("=+-@\t").find(text.front()) != std::string::npos; }

std::string quoted(const std::string& cell) {
  std::string text(is_formula(cell) ? 1 : 0, '\'');
  text += cell;
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string field(const Cell& cell, const Column& column) {
  if (!column.number) return quoted(cell.text);
  if (!has_number(cell)) return {};
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", DBL_DIG, *cell.number);
  return text;
}

}  // namespace

void filter(Sheet& sheet, const std::string& words) {
  if (words.empty()) return;
  const std::string wanted = lower(words);
  std::erase_if(sheet.rows, [&](const Row& row) {
    return std::none_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) { return lower(cell.text).find(wanted) != std::string::npos; });
  });
  if (sheet.rows.empty()) sheet.nothing = "nothing here has '" + words + "' in it";
}

void sort(Sheet& sheet, size_t column, bool reverse) {
  if (column >= sheet.columns.size()) {
    if (reverse) std::reverse(sheet.rows.begin(), sheet.rows.end());
    return;
  }
  std::stable_sort(sheet.rows.begin(), sheet.rows.end(), [&](const Row& a, const Row& b) { return before(a.cells[column], b.cells[column], sheet.columns[column].number, reverse); });
}

std::string csv_of(const Sheet& sheet, const std::string& time, bool heading) {
  std::string out;
  if (heading) {
    out = "time";
    for (const Column& column : sheet.columns)
      if (!column.name.empty()) out += "," + column.name;
    out += "\r\n";
  }
  for (const Row& row : sheet.rows) {
    out += time;
    for (size_t i = 0; i < row.cells.size(); ++i)
      if (!sheet.columns[i].name.empty()) out.append(",").append(field(row.cells[i], sheet.columns[i]));
    out += "\r\n";
  }
  return out;
}

}  // namespace evs::top
