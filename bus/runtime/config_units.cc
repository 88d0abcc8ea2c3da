// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_units.cc - one table of units, read in both directions.
#include "bus/runtime/config_units.h"

#include <limits>
#include <span>

namespace evs::runtime {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Smallest first: formatting walks them from the end.
constexpr Unit kBytes[] = {{"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}};
constexpr Unit kDurations[] = {{"ns", 1},
                               {"us", 1'000},
                               {"ms", 1'000'000},
                               {"s", 1'000'000'000},
                               {"min", 60'000'000'000},
                               {"h", 3'600'000'000'000}};

// What people write instead, and what they mean.
struct Habit {
  std::string_view written;
  std::string_view meant;
};
// clang-format off
constexpr Habit kHabits[] = {
    {"b", "B"},       {"byte", "B"},    {"bytes", "B"},  {"k", "KiB"},    {"K", "KiB"},    {"kb", "KiB"},
    {"kB", "KiB"},    {"KB", "KiB"},    {"Kb", "KiB"},   {"kib", "KiB"},  {"kiB", "KiB"},  {"KIB", "KiB"},
    {"Ki", "KiB"},    {"m", "MiB"},     {"M", "MiB"},    {"mb", "MiB"},   {"MB", "MiB"},   {"Mb", "MiB"},
    {"mib", "MiB"},   {"MIB", "MiB"},   {"Mi", "MiB"},   {"g", "GiB"},    {"G", "GiB"},    {"gb", "GiB"},
    {"GB", "GiB"},    {"Gb", "GiB"},    {"gib", "GiB"},  {"GIB", "GiB"},  {"Gi", "GiB"},   {"\xc2\xb5s", "us"},
    {"usec", "us"},   {"nsec", "ns"},   {"msec", "ms"},  {"sec", "s"},    {"secs", "s"},   {"second", "s"},
    {"seconds", "s"}, {"MS", "ms"},     {"Ms", "ms"},    {"S", "s"},      {"m", "min"},    {"M", "min"},
    {"minute", "min"}, {"minutes", "min"}, {"hour", "h"}, {"hours", "h"}, {"H", "h"},
};
// clang-format on

struct Measure {
  std::string_view noun;        // "size"
  std::string_view unit_names;  // as the refusals list them
  std::span<const Unit> units;
  std::string_view other_noun;  // what the other measure counts
  std::span<const Unit> other;
};
constexpr Measure kSize = {"size", kByteUnits, kBytes, "time", kDurations};
constexpr Measure kTime = {"duration", kDurationUnits, kDurations, "size", kBytes};

const Unit* find(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  out += text;
  out += '"';
  return out;
}

std::string one_of(const Measure& measure) {
  std::string out = "(units: ";
  out += measure.unit_names;
  out += ")";
  return out;
}

// The digits at the front of `text`, taken off it. False when there are none or they exceed 64 bits.
enum class Digits { none, fit, too_many };
Digits take_digits(std::string_view& text, uint64_t& value) {
  value = 0;
  size_t used = 0;
  bool overflow = false;
  for (; used < text.size() && text[used] >= '0' && text[used] <= '9'; ++used) {
    const uint64_t digit = static_cast<uint64_t>(text[used] - '0');
    if (value > (std::numeric_limits<uint64_t>::max() - digit) / 10) overflow = true;
    if (!overflow) value = value * 10 + digit;
  }
  text.remove_prefix(used);
  if (used == 0) return Digits::none;
  return overflow ? Digits::too_many : Digits::fit;
}

std::string format(const Measure& measure, uint64_t value) {
  if (value == 0) return "0";
  size_t best = 0;
  for (size_t i = 0; i < measure.units.size(); ++i)
    if (value % measure.units[i].factor == 0) best = i;
  std::string out = std::to_string(value / measure.units[best].factor);
  out += measure.units[best].name;
  return out;
}

Failure wrong_unit(const Measure& measure, std::string_view unit) {
  std::string text = quoted(unit);
  if (find(measure.other, unit) != nullptr) {
    text += " is a unit of ";
    text += measure.other_noun;
    text += ", and this is a ";
    text += measure.noun;
    return {text + " " + one_of(measure)};
  }
  text += " is not a unit of a ";
  text += measure.noun;
  for (const Habit& habit : kHabits) {
    if (habit.written != unit || find(measure.units, habit.meant) == nullptr) continue;
    text += "; write ";
    text += habit.meant;
    break;
  }
  return {text + " " + one_of(measure)};
}

// Worth quoting back: what could be meant as a unit. Anything else is repeated by nobody, or a file could write lines
// of its own into the log.
bool resembles_a_unit(std::string_view text) {
  if (text.empty() || text.size() > 16) return false;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  return true;
}

Failure no_quantity(const Measure& measure) {
  const std::string example = measure.units.data() == kBytes ? "64KiB" : "100ms";
  return {"not a whole number followed by a unit, such as " + quoted(example) + " " + one_of(measure)};
}

Result<uint64_t> parse(const Measure& measure, std::string_view text) {
  std::string_view rest = text;
  uint64_t number = 0;
  const Digits digits = take_digits(rest, number);
  if (digits == Digits::none) return no_quantity(measure);
  if (digits == Digits::too_many) return Failure{"too large"};
  if (rest.empty()) {
    if (number == 0) return uint64_t{0};
    return Failure{"a bare number; write its unit " + one_of(measure)};
  }
  if (rest.front() == '.' || rest.front() == ',')
    return Failure{"not a whole number; take a smaller unit instead " + one_of(measure)};
  if (rest.front() == ' ') rest.remove_prefix(1);  // "4 MiB" reads as well as "4MiB"
  const Unit* unit = find(measure.units, rest);
  if (unit == nullptr) return resembles_a_unit(rest) ? wrong_unit(measure, rest) : no_quantity(measure);
  if (number > std::numeric_limits<uint64_t>::max() / unit->factor) return Failure{"too large"};
  return number * unit->factor;
}

}  // namespace

Result<uint64_t> parse_bytes(std::string_view text) {
  return parse(kSize, text);
}

Result<uint64_t> parse_duration(std::string_view text) {
  return parse(kTime, text);
}

Result<uint64_t> parse_integer(std::string_view text) {
  uint64_t number = 0;
  const Digits digits = take_digits(text, number);
  if (digits == Digits::too_many) return Failure{"too large"};
  if (digits == Digits::none || !text.empty()) return Failure{"not a whole number"};
  return number;
}

std::string format_bytes(uint64_t bytes) {
  return format(kSize, bytes);
}

std::string format_duration(uint64_t nanoseconds) {
  return format(kTime, nanoseconds);
}

}  // namespace evs::runtime
