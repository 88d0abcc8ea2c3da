// SPDX-License-Identifier: BSD-3-Clause
// tools/top/layout.cc - see layout.h.
#include "tools/top/layout.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tools/evs/text.h"
#include "tools/top/cells.h"
#include "tools/top/draw.h"
#include "tools/top/layout_help.h"
#include "tools/top/views.h"

namespace evs::top {
namespace {

constexpr size_t kGap = 2;  // between columns
constexpr size_t kHeadLines = 5, kFootLines = 1;
constexpr size_t kCourseColumns = 12;
constexpr size_t kLeastWords = 24;  // of the last column

size_t width_of_line(const Line& line) {
  size_t width = 0;
  for (const Span& span : line) width += width_of(span.text);
  return width;
}

// As much of it as fits, and nothing that a terminal of ASCII cannot show.
Line fitted(const Line& line, size_t width, const Ui& ui) {
  Line out;
  size_t left = width;
  for (Span span : line) {
    if (ui.ascii) span.text = to_ascii(span.text);
    span.text = cut(span.text, left, ui.ascii);
    left -= std::min(left, width_of(span.text));
    if (!span.text.empty()) out.push_back(std::move(span));
    if (left == 0) break;
  }
  return out;
}

// What is printed has lines enough: a sentence goes on in the next one, where on a screen it would be cut.
void add_sentence(Screen& screen, const Span& sentence, size_t width) {
  std::string text;
  for (std::string_view rest = sentence.text; !rest.empty();) {
    const size_t space = std::min(rest.find(' ', rest.find_first_not_of(' ')), rest.size());
    const std::string_view word = rest.substr(0, space);
    if (!text.empty() && width_of(text) + width_of(word) > width) {
      screen.push_back({{std::exchange(text, "  "), sentence.tone, sentence.inverse}});
      text += word.substr(std::min(word.find_first_not_of(' '), word.size()));
    } else {
      text += word;
    }
    rest.remove_prefix(space);
  }
  screen.push_back({{text, sentence.tone, sentence.inverse}});
}

Line with_right(Line line, const std::string& right, size_t width) {
  const size_t used = width_of_line(line) + width_of(right);
  if (width == kNoLimit || used + 1 > width) return line.push_back({"  " + right}), line;
  line.push_back({std::string(width - used, ' ') + right});
  return line;
}

Line title(const Model& model, const Ui& ui, size_t width) {
  const Frame& frame = model.frame();
  const std::string where = frame.source.empty() ? frame.directory : frame.source;
  std::string right = (ui.paused ? "PAUSED  " : "every " + tools::show_duration(ui.interval_ns) + "  ") + (model.has_frame() ? tools::show_time(frame.unix_ns).substr(11, 8) + " UTC" : "");
  return with_right({{"evs-top", Tone::bold}, {"  bus "}, {tools::printable(frame.bus), Tone::bold}, {"  " + tools::printable(where), Tone::dim}}, right, width);
}

// How many more there are stays to be seen, whatever has to be cut of the sentence.
Span health(const Model& model, const Ui& ui, size_t width, bool may_wrap) {
  if (!model.trouble().empty()) return {"cannot look: " + tools::printable(model.trouble()), Tone::bad};
  const auto& findings = model.findings();
  if (findings.empty()) return {"all is well", Tone::good};
  const Finding& worst = findings.front();
  const std::string more = findings.size() > 1 ? "  (and " + std::to_string(findings.size() - 1) + " more)" : "";
  const std::string words = may_wrap ? worst.words : cut(worst.words, width - std::min(width, width_of(more)), ui.ascii);
  return {words + more, worst.grade == Grade::critical ? Tone::bad : Tone::warn};
}

std::string percent(double part, double whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", whole > 0 ? 100 * part / whole : 0);
  return text;
}

Line summary(const Model& model, const Ui& ui) {
  const Frame& frame = model.frame();
  double processes = 0, used = 0, capacity = 0;
  std::string configuration;
  if (frame.detail) {
    processes = static_cast<double>(frame.detail->processes());
    used = static_cast<double>(frame.detail->ring.used_bytes);
    capacity = static_cast<double>(frame.detail->ring.capacity_bytes);
    configuration = "  configuration " + std::to_string(frame.detail->ring_sequence) + "." + std::to_string(frame.detail->change);
  } else {
    processes = sum_of(frame.families, "evs_processes").value_or(0);
    used = value_of(frame.families, "evs_ring_used_bytes", {{"ring", "order"}}).value_or(0);
    capacity = value_of(frame.families, "evs_ring_capacity_bytes", {{"ring", "order"}}).value_or(0);
  }
  return {{tools::show_count(processes) + (processes == 1 ? " process" : " processes") + configuration + "  ring "}, {bar(capacity > 0 ? used / capacity : 0, kCourseColumns, ui.ascii), Tone::bar},
          {std::string(1, ' ').append(percent(used, capacity)).append(" of ").append(tools::show_bytes(whole(capacity)))}};
}

Line flows(const Model& model, const Ui& ui) {
  const Trend& trend = model.trend();
  const auto rate = [&](const char* key) { return trend.rate(key) ? tools::show_count(*trend.rate(key)) + "/s" : std::string("-"); };
  Line line{{"sent " + rate(kSent) + " "}, {sparkline(trend.course(kSent), kCourseColumns, ui.ascii), Tone::good}, {"  taken " + rate(kDelivered) + " "}, {sparkline(trend.course(kDelivered), kCourseColumns, ui.ascii), Tone::good}};
  if (const auto bytes = trend.rate(kSentBytes)) line.push_back({"  " + tools::show_bytes(whole(*bytes)) + "/s"});
  return line;
}

Line tabs(const Ui& ui) {
  Line line;
  for (size_t i = 0; i < kViews; ++i) {
    std::string text(1, ' ');
    text.append(std::to_string(i + 1)).append(" ").append(name_of(static_cast<View>(i))).append(" ");
    line.push_back({std::move(text), i == ui.at() ? Tone::bold : Tone::dim, i == ui.at()});
  }
  return line;
}

Line foot(const Ui& ui) {
  if (ui.prompting) return {{"filter: ", Tone::bold}, {tools::printable(ui.filter) + "_"}, {"   Enter keeps it, Esc drops it", Tone::dim}};
  Line line;
  if (!ui.filter.empty()) line.push_back({std::string("[").append(tools::printable(ui.filter)).append("] "), Tone::warn});
  line.push_back({std::string("q quit  ? help  s sort  r reverse  / filter  p pause  +- interval  t ") + (ui.totals ? "rates" : "totals"), Tone::dim});
  return line;
}

// Which columns a table has room for, and how wide each is. Words in the last one may be cut.
struct Fitted {
  size_t index, width;
};
std::vector<Fitted> columns_that_fit(const Sheet& sheet, size_t width) {
  std::vector<Fitted> columns;
  for (size_t i = 0; i < sheet.columns.size(); ++i) {
    size_t widest = width_of(sheet.columns[i].title);
    for (const Row& row : sheet.rows) widest = std::max(widest, width_of(row.cells[i].text));
    columns.push_back({i, widest});
  }
  const auto total = [&] {
    size_t sum = columns.empty() ? 0 : kGap * (columns.size() - 1);
    for (const Fitted& column : columns) {
      const bool words = column.index + 1 == sheet.columns.size() && !sheet.columns[column.index].number && !sheet.columns[column.index].name.empty();
      sum += words ? std::min(column.width, kLeastWords) : column.width;
    }
    return sum;
  };
  while (total() > width) {
    const auto worst = std::max_element(columns.begin(), columns.end(), [&](const Fitted& a, const Fitted& b) { return sheet.columns[a.index].rank < sheet.columns[b.index].rank; });
    if (worst == columns.end() || sheet.columns[worst->index].rank == 0) break;
    columns.erase(worst);
  }
  return columns;
}

Line table_line(const Sheet& sheet, const std::vector<Fitted>& columns, const auto& cell_of) {
  Line line;
  for (const Fitted& column : columns) {
    const Cell cell = cell_of(column.index);
    const size_t width = width_of(cell.text);
    const std::string pad(column.width - std::min(column.width, width), ' ');
    const bool right = sheet.columns[column.index].number;
    if (!line.empty()) line.push_back({std::string(kGap, ' ')});
    const bool last = column.index == columns.back().index;
    line.push_back({right ? pad + cell.text : last ? cell.text : cell.text + pad, cell.tone});
  }
  return line;
}

Line heading(const Sheet& sheet, const std::vector<Fitted>& columns, const Ui& ui) {
  const size_t sorted = ui.sorted[ui.at()];
  Line line = table_line(sheet, columns, [&](size_t i) { return Cell{sheet.columns[i].title, std::nullopt, i == sorted ? Tone::warn : Tone::bold}; });
  return line;
}

size_t page_rows(const Sheet& sheet, size_t height) {
  if (height == kNoLimit) return kNoLimit;
  const size_t other = kHeadLines + kFootLines + 1 + sheet.remarks.size();
  return height > other ? height - other : 1;
}

// How far down it may go: the last rows stay on the screen.
size_t first_row(const Ui& ui, size_t rows, size_t fit) { return std::min(ui.scroll, rows - std::min(rows, fit)); }

}  // namespace

Shown shown_at(const Model& model, const Ui& ui, size_t height) {
  if (!model.has_frame()) return {};
  const Sheet sheet = sheet_of(model, ui);
  return {sheet.columns.size(), sheet.rows.size(), page_rows(sheet, height)};
}

Screen layout(const Model& model, const Ui& ui, size_t width, size_t height) {
  const bool printed = height == kNoLimit;
  const auto say = [&](Screen& to, const Span& sentence) { printed ? add_sentence(to, sentence, width) : to.push_back({sentence}); };
  Screen screen{title(model, ui, width)};
  say(screen, health(model, ui, width, printed));
  if (ui.help) {
    for (const char* words : kHelp) screen.push_back({{words}});
  } else if (model.has_frame()) {
    const Sheet sheet = sheet_of(model, ui);
    screen.push_back(summary(model, ui));
    screen.push_back(flows(model, ui));
    screen.push_back(tabs(ui));
    for (const Remark& remark : sheet.remarks) say(screen, {remark.text, remark.tone});
    const std::vector<Fitted> columns = columns_that_fit(sheet, width);
    screen.push_back(heading(sheet, columns, ui));
    const size_t fit = page_rows(sheet, height), first = first_row(ui, sheet.rows.size(), fit), end = std::min(sheet.rows.size(), fit == kNoLimit ? fit : first + fit);
    for (size_t i = first; i < end; ++i) screen.push_back(table_line(sheet, columns, [&](size_t column) -> const Cell& { return sheet.rows[i].cells[column]; }));
    if (sheet.rows.empty()) screen.push_back({{sheet.nothing, Tone::dim}});
  }
  if (height != kNoLimit) {
    screen.resize(height == 0 ? 0 : height - kFootLines);
    if (height != 0) screen.push_back(ui.help ? Line{{"any key goes back", Tone::dim}} : foot(ui));
  }
  for (Line& line : screen) line = fitted(line, width, ui);
  return screen;
}

std::string plain_text(const Screen& screen) {
  std::string out;
  for (const Line& line : screen) {
    std::string text;
    for (const Span& span : line) text += span.text;
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

}  // namespace evs::top
