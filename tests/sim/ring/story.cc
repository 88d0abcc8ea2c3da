// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/story.cc - see story.h.
#include "tests/sim/ring/story.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

namespace evs::sim {
namespace {

using Message = std::pair<verify::Token, uint64_t>;

bool is_about_a_message(const verify::Event& event) { return event.kind == verify::Kind::send || event.kind == verify::Kind::deliver; }

std::set<Message> named_by(const verify::Run& run, const std::vector<verify::Violation>& violations) {
  std::set<Message> named;
  for (const verify::Violation& violation : violations)
    for (const verify::Evidence& evidence : violation.evidence) {
      const verify::Event& event = run.traces[evidence.trace].events[evidence.event];
      if (is_about_a_message(event)) named.insert({event.ring, event.seq});
    }
  return named;
}

std::string text_of(const verify::Run& run, const verify::Trace& trace, const verify::Event& event) {
  const std::string who = std::string("host ").append(std::to_string(trace.process.nodeid)).append(" ");
  if (event.kind == verify::Kind::conf) {
    const verify::Configuration& c = trace.configurations[event.configuration];
    std::string text = who + (c.transitional ? "closes " : "installs ") + run.names.text(c.id) + ":";
    for (const uint32_t member : c.members) text.append(" ").append(std::to_string(member));
    return text;
  }
  const std::string message = run.names.text(event.ring) + " #" + std::to_string(event.seq) + " " + verify::kServiceNames[static_cast<size_t>(event.service)];
  if (event.kind == verify::Kind::send) return who + "sends " + message;
  return who + "delivers " + message + " of " + std::to_string(event.sender.nodeid) + " in " + run.names.text(event.conf);
}

}  // namespace

std::string Story::tell(const verify::Run& run, const std::vector<verify::Violation>& violations) const {
  const std::set<Message> named = named_by(run, violations);
  std::vector<Line> lines = lines_;
  for (const verify::Trace& trace : run.traces)
    for (const verify::Event& event : trace.events) {
      const bool message = is_about_a_message(event) && named.count({event.ring, event.seq}) != 0;
      if (event.kind == verify::Kind::conf || message) lines.push_back({static_cast<uint64_t>(event.at), text_of(run, trace, event)});
    }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  std::string text;
  for (const Line& line : lines) {
    char at[32];
    snprintf(at, sizeof at, "%10.3f ms  ", static_cast<double>(line.at) / 1e6);
    text += at + line.text + "\n";
  }
  return text;
}

}  // namespace evs::sim
