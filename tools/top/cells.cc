// SPDX-License-Identifier: BSD-3-Clause
// tools/top/cells.cc - see cells.h.
#include "tools/top/cells.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/evs/text.h"
#include "tools/top/draw.h"

namespace evs::top {
namespace {

constexpr double kMostShown = 1.8e19;  // below 2^64

std::string rate_text(double rate) {
  if (rate == 0 || rate >= 10) return tools::show_count(rate);
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", rate);
  return text;
}

}  // namespace

uint64_t whole(double value) { return std::isfinite(value) ? static_cast<uint64_t>(std::clamp(value, 0.0, kMostShown)) : 0; }

Cell text_cell(const std::string& text, Tone tone) { return {tools::printable(text), std::nullopt, tone}; }
Cell number_cell(uint64_t number, Tone tone) { return {std::to_string(number), static_cast<double>(number), tone}; }
Cell bytes_cell(double bytes, Tone tone) { return {tools::show_bytes(whole(bytes)), bytes, tone}; }

Cell seconds_cell(std::optional<double> seconds, Tone tone) {
  if (!seconds || !std::isfinite(*seconds)) return no_cell();
  return {tools::show_duration(whole(*seconds * 1e9 + 0.5)), seconds, tone};
}

Cell spark_cell(const std::deque<double>& course, const Ui& ui) { return {sparkline(course, kSparkColumns, ui.ascii), std::nullopt, Tone::good}; }

Cell flow_cell(double total, std::optional<double> rate, const Ui& ui) {
  if (ui.totals) return {tools::show_count(total), total, Tone::plain};
  if (!rate) return no_cell();
  return {rate_text(*rate), rate, *rate == 0 ? Tone::dim : Tone::plain};
}

Cell byte_flow_cell(double total, std::optional<double> rate, const Ui& ui) {
  if (ui.totals) return bytes_cell(total);
  return rate ? bytes_cell(*rate, *rate == 0 ? Tone::dim : Tone::plain) : no_cell();
}

Column flow_column(const std::string& title, const std::string& name, const Ui& ui, int rank) {
  return {ui.totals ? title : title + "/s", name + (ui.totals ? "_total" : "_per_second"), true, rank};
}

}  // namespace evs::top
