// SPDX-License-Identifier: BSD-3-Clause
// report.cc - the text and the JSON.
#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tests/bench/references.h"
#include "tests/bench/samples.h"

namespace evs::bench {

namespace {

const char* sign(Side side) {
  return side == Side::at_most ? "<=" : ">=";
}

bool within(const Target& target, double value) {
  return target.side == Side::at_most ? value <= target.bound : value >= target.bound;
}

const char* verdict(const Outcome& outcome) {
  if (outcome.values.empty()) return "skipped";
  return within(target(outcome.id), median_of(outcome.values)) ? "within" : "outside";
}

// Three significant digits, without an exponent for anything that occurs here.
std::string number(double value) {
  char text[48];
  const double size = std::fabs(value);
  const int digits = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 6;
  snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string quoted(const std::string& text) {
  std::string out(1, '"');
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[48];
  snprintf(text, sizeof text, "%.9g", value);
  return text;
}

template <typename Range, typename Write>
std::string json_array(const Range& range, Write write) {
  std::string out(1, '[');
  const char* comma = "";
  for (const auto& item : range) {
    out += comma;
    out += write(item);
    comma = ",";
  }
  out += ']';
  return out;
}

std::string json_figure(const Figure& figure) {
  return "{\"name\":" + quoted(figure.name) + ",\"value\":" + json_number(figure.value) +
         ",\"unit\":" + quoted(figure.unit) + "}";
}

std::string json_outcome(const Outcome& outcome) {
  const Target& aim = target(outcome.id);
  std::string out = "{\"id\":" + quoted(aim.id) + ",\"what\":" + quoted(aim.what) + ",\"unit\":" + quoted(aim.unit) +
                    ",\"target\":{\"side\":" + quoted(sign(aim.side)) + ",\"bound\":" + json_number(aim.bound) +
                    "},\"verdict\":" + quoted(verdict(outcome));
  if (outcome.values.empty()) {
    out += ",\"skipped\":" + quoted(outcome.skipped);
  } else {
    const auto [low, high] = std::minmax_element(outcome.values.begin(), outcome.values.end());
    out += ",\"value\":" + json_number(median_of(outcome.values)) + ",\"low\":" + json_number(*low) +
           ",\"high\":" + json_number(*high) + ",\"rounds\":" + json_array(outcome.values, json_number) +
           ",\"unsteady\":" + std::to_string(outcome.unsteady);
  }
  return out + ",\"figures\":" + json_array(outcome.figures, json_figure) + "}";
}

}  // namespace

void print_machine(const Report& report) {
  for (const auto& [name, value] : report.machine) printf("%-12s %s\n", name.c_str(), value.c_str());
  for (const Figure& figure : report.machine_figures) {
    printf("%-12s %s %s\n", figure.name.c_str(), number(figure.value).c_str(), figure.unit.c_str());
  }
  printf("\n%-8s %-21s %-9s %s\n", "", "median (low-high)", "target", "what");
}

void print_outcome(const Outcome& outcome) {
  const Target& aim = target(outcome.id);
  std::string value = "-";
  if (!outcome.values.empty()) {
    const auto [low, high] = std::minmax_element(outcome.values.begin(), outcome.values.end());
    value = number(median_of(outcome.values));
    if (outcome.values.size() > 1) value += " (" + number(*low) + "-" + number(*high) + ")";
  }
  const std::string bound = std::string(sign(aim.side)) + " " + number(aim.bound);
  printf("%-8s %-21s %-9s %s%s%s\n", verdict(outcome), value.c_str(), bound.c_str(), aim.what,
         aim.unit[0] == 'x' ? "" : ", ", aim.unit[0] == 'x' ? "" : aim.unit);
  if (!outcome.skipped.empty()) printf("%40s %s\n", "", outcome.skipped.c_str());
  std::string line;
  for (const Figure& figure : outcome.figures) {
    const std::string next = figure.name + " " + number(figure.value) + (figure.unit.empty() ? "" : " " + figure.unit);
    if (!line.empty() && line.size() + next.size() > 76) {
      printf("%40s %s\n", "", line.c_str());
      line.clear();
    }
    line += (line.empty() ? "" : "; ") + next;
  }
  if (outcome.unsteady > 0) {
    line += (line.empty() ? "" : "; ") + std::to_string(outcome.unsteady) + " unsteady rounds left out";
  }
  if (!line.empty()) printf("%40s %s\n", "", line.c_str());
  fflush(stdout);
}

void print_references() {
  printf("\nThe field, for orientation (on %s; not this machine):\n", kReferenceMachine);
  printf("  %-66s %-32s %-12s %s\n", "", "round trip 64 B, p50", "64 B", "1 KiB");
  for (const Reference& reference : kReferences) {
    printf("  %-66s %-32s %-12s %s\n", reference.who, reference.round_trip, reference.rate_64, reference.rate_1k);
  }
  for (const char* note : kReferenceNotes) printf("  %s\n", note);
}

void print_summary(const Report& report) {
  int counts[3] = {};
  for (const Outcome& outcome : report.outcomes) {
    ++counts[outcome.values.empty() ? 2 : within(target(outcome.id), median_of(outcome.values)) ? 0 : 1];
  }
  printf("\n%d within, %d outside, %d skipped, %zu malfunctions\n", counts[0], counts[1], counts[2],
         report.failures.size());
  for (const Failure& failure : report.failures)
    printf("MALFUNCTION %s: %s\n", failure.speed.c_str(), failure.reason.c_str());
}

std::string to_json(const Report& report) {
  std::string out =
      "{\"format\":\"evs-speed/1\",\"plan\":" + quoted(report.quick ? "quick" : "full") + ",\"machine\":{";
  const char* comma = "";
  for (const auto& [name, value] : report.machine) {
    out += comma;
    out += quoted(name) + ':' + quoted(value);
    comma = ",";
  }
  out += "},\"probes\":" + json_array(report.machine_figures, json_figure) +
         ",\"targets\":" + json_array(report.outcomes, json_outcome) + ",\"malfunctions\":" +
         json_array(report.failures,
                    [](const Failure& failure) {
                      return "{\"speed\":" + quoted(failure.speed) + ",\"reason\":" + quoted(failure.reason) + "}";
                    }) +
         ",\"reference\":{\"machine\":" + quoted(kReferenceMachine) + ",\"field\":" +
         json_array(kReferences,
                    [](const Reference& r) {
                      return "{\"who\":" + quoted(r.who) + ",\"round_trip\":" + quoted(r.round_trip) +
                             ",\"rate_64\":" + quoted(r.rate_64) + ",\"rate_1k\":" + quoted(r.rate_1k) + "}";
                    }) +
         "}}\n";
  return out;
}

}  // namespace evs::bench
