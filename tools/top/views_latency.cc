// SPDX-License-Identifier: BSD-3-Clause
// tools/top/views_latency.cc - how long things take: every histogram of seconds that there is, and what else is in seconds.
//
// It knows none of them by name: what a later version measures is shown.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "tools/evs/text.h"
#include "tools/top/cells.h"
#include "tools/top/views.h"

namespace evs::top {
namespace {

constexpr std::string_view kPrefix = "evs_", kUnit = "_seconds";

std::string title_of(const std::string& name) {
  std::string_view text = name;
  text.remove_suffix(kUnit.size());
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());  // evs_seconds has half of it
  std::string title(text);
  for (char& c : title)
    if (c == '_') c = ' ';
  return title;
}

std::string text_of(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) text += (text.empty() ? "" : " ") + value;
  return text;
}

Row histogram_row(const std::string& title, const std::string& key, const Series& all, const Model& model, const Ui& ui) {
  const Trend::Recent* recent = model.trend().recent(key);
  const Series* shown = ui.totals ? &all : recent == nullptr ? nullptr : &recent->samples;
  const double count = shown == nullptr ? 0 : shown->count;
  const auto at = [&](double share) { return shown == nullptr ? no_cell() : seconds_cell(quantile(*shown, share)); };
  std::optional<double> rate;
  if (recent != nullptr) rate = recent->samples.count / recent->seconds;
  return {{text_cell(title, Tone::bold), text_cell(text_of(all.labels)), flow_cell(all.count, rate, ui), count > 0 ? seconds_cell(shown->sum / count) : no_cell(), at(0.5), at(0.9), at(0.99), no_cell(),
           spark_cell(model.trend().course(slowest_key(key)), ui)}};
}

}  // namespace

Sheet latency_sheet(const Model& model, const Ui& ui) {
  Sheet sheet{{}, {{"WHAT", "what"}, {"OF", "of"}, flow_column("SAMPLES", "samples", ui, 2), {"MEAN", "mean_seconds", true, 1}, {"P50", "p50_seconds", true}, {"P90", "p90_seconds", true, 3}, {"P99", "p99_seconds", true}, {"NOW", "seconds", true, 1}, {"P99 COURSE", "", false, 4}}, {}, "this bus measures no times"};
  bool measured = false;
  std::vector<Row> silent;  // nothing was measured there yet
  for (const Family& family : model.frame().families) {
    if (!std::string_view(family.name).ends_with(kUnit)) continue;
    for (const Series& series : family.series) {
      if (family.kind == Kind::histogram) {
        (series.count > 0 ? sheet.rows : silent).push_back(histogram_row(title_of(family.name), key_of(family.name, series.labels), series, model, ui));
        measured = true;
      } else {
        sheet.rows.push_back({{text_cell(title_of(family.name), Tone::bold), text_cell(text_of(series.labels)), no_cell(), no_cell(), no_cell(), no_cell(), no_cell(), seconds_cell(series.value), spark_cell({}, ui)}});
      }
    }
  }
  std::move(silent.begin(), silent.end(), std::back_inserter(sheet.rows));
  if (measured) sheet.remarks.push_back({ui.totals ? "of all samples since each process began" : "of the samples in the last " + std::to_string(kWindow) + " looks; t: of all", Tone::dim});
  return sheet;
}

}  // namespace evs::top
