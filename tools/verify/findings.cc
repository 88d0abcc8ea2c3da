// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/findings.cc - see findings.h.
#include "tools/verify/findings.h"

#include <utility>

#include "tools/verify/trace_text.h"

namespace evs::verify {

bool Findings::full(std::string_view predicate) const {
  const auto kept = found_.find(predicate);
  return kept != found_.end() && kept->second.size() >= options_.limit;
}

void Findings::add(std::string_view predicate, std::string sentence, const std::vector<Place>& evidence) {
  std::vector<Violation>& kept = found_[predicate];
  if (kept.size() >= options_.limit) return;
  Violation violation;
  violation.predicate = predicate;
  violation.sentence = std::move(sentence);
  for (const Place place : evidence) violation.evidence.push_back(prove(place));
  kept.push_back(std::move(violation));
}

Evidence Findings::prove(Place place) const {
  const Trace& trace = run_.traces[place.trace];
  Evidence evidence;
  evidence.trace = place.trace;
  evidence.event = place.event;
  const std::string name = trace.name.empty() ? text_of(trace.process) : trace.name;
  if (place.event >= trace.events.size()) {  // a trace that has no event to show
    evidence.where = name;
    evidence.text = "boot process=" + text_of(trace.process);
    return evidence;
  }
  const Event& event = trace.events[place.event];
  evidence.where = name;
  evidence.where += event.line != 0 ? ":" : " #";
  evidence.where += std::to_string(event.line != 0 ? event.line : place.event);
  evidence.text = event_text(run_, trace, event);
  return evidence;
}

std::vector<Violation> Findings::take() {
  std::vector<Violation> out;
  for (size_t rank = 0, more = 1; more != 0 && out.size() < options_.limit; ++rank) {
    more = 0;
    for (auto& [predicate, kept] : found_) {
      if (rank >= kept.size() || out.size() >= options_.limit) continue;
      out.push_back(std::move(kept[rank]));
      ++more;
    }
  }
  return out;
}

}  // namespace evs::verify
