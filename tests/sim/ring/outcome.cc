// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/outcome.cc - see outcome.h.
#include "tests/sim/ring/outcome.h"

#include <algorithm>
#include <iterator>

namespace evs::sim {
namespace {

using ordering::Drop;
using ordering::kRares;
using ordering::Rare;
using ordering::Why;

constexpr const char* kRareNames[] = {
    "second chance", "representative given up", "lowest one's word", "silent given up", "failed us in return", "quarantine doubled", "asked by name",
    "leaver heard", "former life over", "companion came around", "recovery broken once", "recovery broken twice", "recovery broken thrice",
    "partial restarted", "others had delivered", "early by others", "discarded behind gap", "obliged behind gap", "obliged beyond companions",
    "allowance all repeats", "wishes cut", "window closed", "hold cancelled", "spoke in place", "alone in slices", "pause noticed", "no room", "ending held", "stalled left",
    "ring broke while held", "given up as holder", "exchange given up", "barrier given up"};
static_assert(std::size(kRareNames) == kRares);

// Nobody who keeps the protocol brings the first two about (tests/unit/ordering has their stories); the third is for runs with processes; the last
// one run in four thousand brings about. Who gives others up for what they leave undone finds nobody here: they have stories, too.
constexpr const char* kNotReached[] = {"drop.outside window",     "drop.mark fell",         "fault.change", "fault.lose disk", "why.names run out", "rare.wishes cut",
                                       "why.barrier too long",    "rare.exchange given up", "rare.barrier given up"};

bool starts_with(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

}  // namespace

void add(Counts& sum, const Counts& more) {
  for (const auto& [name, n] : more) sum[name] += n;
}

void count(Counts& counts, const ordering::Protocol& protocol) {
  for (size_t i = 0; i < static_cast<size_t>(Why::count_); ++i) counts[std::string("why.") + name_of(static_cast<Why>(i))] += protocol.entered_gather(static_cast<Why>(i));
  for (size_t i = 0; i < static_cast<size_t>(Drop::count_); ++i) counts[std::string("drop.") + name_of(static_cast<Drop>(i))] += protocol.dropped(static_cast<Drop>(i));
  for (size_t i = 0; i < kRares; ++i) counts[std::string("rare.") + kRareNames[i]] += protocol.rare(static_cast<Rare>(i));
}

std::string text_of(const Counts& counts) {
  constexpr const char* kKinds[][2] = {{"run.", "runs"}, {"fault.", "faults"}, {"net.", "packets"}, {"why.", "gathered because"},
                                       {"drop.", "refused"}, {"rare.", "rare branches"}};
  std::string text;
  for (const auto& kind : kKinds) {
    std::string line;
    for (const auto& [name, n] : counts)
      if (starts_with(name, kind[0])) line += (line.empty() ? " " : ", ") + name.substr(std::string(kind[0]).size()) + " " + std::to_string(n);
    if (!line.empty()) text += std::string(kind[1]) + ":" + line + "\n";
  }
  return text;
}

std::vector<std::string> never_taken(const Counts& counts) {
  std::vector<std::string> names;
  for (const auto& [name, n] : counts) {
    const bool listed = std::any_of(std::begin(kNotReached), std::end(kNotReached), [&, key = name](const char* not_reached) { return key == not_reached; });
    if (n == 0 && !listed && !starts_with(name, "run.")) names.push_back(name);
  }
  return names;
}

bool Outcome::violates(const std::string& predicates) const {
  const std::string list = "," + predicates + ",";
  if (!unfinished.empty() && list.find(",L,") != std::string::npos) return true;
  return std::any_of(violations.begin(), violations.end(), [&](const verify::Violation& v) { return list.find("," + v.predicate + ",") != std::string::npos; });
}

std::string Outcome::first() const { return !violations.empty() ? violations.front().predicate : unfinished.empty() ? "" : "L"; }

}  // namespace evs::sim
