// SPDX-License-Identifier: BSD-3-Clause
// tools/top/cells.h - values as cells: for people in the units that people read, for programs in base units.
#pragma once

#include <optional>
#include <string>

#include "tools/top/model.h"
#include "tools/top/sheet.h"
#include "tools/top/ui.h"

namespace evs::top {

inline constexpr size_t kSparkColumns = 20;

uint64_t whole(double value);  // whatever it is: what somebody else says may be no number, or beyond all of them

Cell text_cell(const std::string& text, Tone tone = Tone::plain);  // whatever another process wrote: made printable
Cell number_cell(uint64_t number, Tone tone = Tone::plain);
Cell bytes_cell(double bytes, Tone tone = Tone::plain);
Cell seconds_cell(std::optional<double> seconds, Tone tone = Tone::plain);
Cell spark_cell(const std::deque<double>& course, const Ui& ui);
inline Cell no_cell() { return {"-", std::nullopt, Tone::dim}; }

// A count as it is, or what it rises by a second.
Cell flow_cell(double total, std::optional<double> rate, const Ui& ui);
Cell byte_flow_cell(double total, std::optional<double> rate, const Ui& ui);
// "SENT/s" or "SENT", and for programs "sent_per_second" or "sent_total".
Column flow_column(const std::string& title, const std::string& name, const Ui& ui, int rank);

}  // namespace evs::top
