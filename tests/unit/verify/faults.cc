// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/faults.cc - see faults.h.
#include "tests/unit/verify/faults.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace evs::verify {

namespace {

using Random = std::mt19937_64;

// All places where `fits` says so, then one of them.
std::optional<Place> choose(const Run& run, Random& random, const std::function<bool(Place, const Event&)>& fits) {
  std::vector<Place> places;
  for (uint32_t t = 0; t < run.traces.size(); ++t)
    for (uint32_t i = 0; i < run.traces[t].events.size(); ++i)
      if (fits({t, i}, run.traces[t].events[i])) places.push_back({t, i});
  if (places.empty()) return std::nullopt;
  return places[random() % places.size()];
}

bool is_delivery(const Event& e) {
  return e.kind == Kind::deliver;
}

// Another trace goes the same way: from this step to the same next one.
bool has_company(const Index& index, Place place) {
  const std::vector<Step>& steps = index.steps(place.trace);
  const uint32_t here = index.step_of(place);
  if (here + 1 >= steps.size()) return false;
  const std::vector<Installation>& by = index.installed(steps[here + 1].conf).by;
  return std::any_of(by.begin(), by.end(), [&](const Installation& other) {
    return other.trace != place.trace && other.step > 0 &&
           index.steps(other.trace)[other.step - 1].conf == steps[here].conf;
  });
}

void erase(Run& run, Place place) {
  auto& events = run.traces[place.trace].events;
  events.erase(events.begin() + place.event);
}

bool drop_in_company(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) { return is_delivery(e) && has_company(index, p); });
  if (at) erase(run, *at);
  return at.has_value();
}

bool drop_own(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return is_delivery(e) && e.sender == run.traces[p.trace].process &&
           index.steps(p.trace)[index.step_of(p)].next_regular != kNone;
  });
  if (at) erase(run, *at);
  return at.has_value();
}

// An agreed message from the middle of what others have too.
bool drop_in_order(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    if (!is_delivery(e) || e.service < Service::agreed ||
        index.deliveries(index.messages()[index.message_of(p)]).size() < 2)
      return false;
    const auto& events = run.traces[p.trace].events;
    return p.event + 1 < events.size() && is_delivery(events[p.event + 1]) &&
           events[p.event + 1].service >= Service::agreed && !index.steps(p.trace)[index.step_of(p)].transitional;
  });
  if (at) erase(run, *at);
  return at.has_value();
}

// Safe, while somebody relies on it: another delivered it in a configuration that we are in.
bool drop_safe(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    if (!is_delivery(e) || e.service != Service::safe) return false;
    if (index.steps(p.trace)[index.step_of(p)].next_regular == kNone) return false;
    const auto deliveries = index.deliveries(index.messages()[index.message_of(p)]);
    return std::any_of(deliveries.begin(), deliveries.end(), [&](const Mention& other) {
      const Step& there = index.steps(other.at.trace)[index.step_of(other.at)];
      return other.at.trace != p.trace && index.is_member(run.traces[p.trace].process.nodeid, there.conf);
    });
  });
  if (at) erase(run, *at);
  return at.has_value();
}

bool swap_agreed(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    const auto& events = run.traces[p.trace].events;
    return is_delivery(e) && e.service >= Service::agreed && p.event + 1 < events.size() &&
           is_delivery(events[p.event + 1]) && events[p.event + 1].service >= Service::agreed;
  });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  std::swap(events[at->event], events[at->event + 1]);
  return true;
}

bool swap_fifo(Run& run, const Index& index, Random& random) {
  const auto next_of_sender = [&](Place p) -> std::optional<uint32_t> {
    const auto& events = run.traces[p.trace].events;
    for (uint32_t i = p.event + 1; i < events.size() && index.step_of({p.trace, i}) == index.step_of(p); ++i)
      if (is_delivery(events[i]) && events[i].service == Service::fifo && events[i].sender == events[p.event].sender)
        return i;
    return std::nullopt;
  };
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return is_delivery(e) && e.service == Service::fifo && next_of_sender(p).has_value();
  });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  std::swap(events[at->event], events[*next_of_sender(*at)]);
  return true;
}

bool repeat(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [](Place, const Event& e) { return is_delivery(e); });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  const Event again = events[at->event];
  events.insert(events.begin() + at->event, again);
  return true;
}

bool name_another_configuration(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [](Place, const Event& e) { return is_delivery(e); });
  if (!at) return false;
  Event& e = run.traces[at->trace].events[at->event];
  e.conf = run.names.of(run.names.text(e.conf) + "'");
  return true;
}

bool change_hash(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [](Place, const Event& e) { return is_delivery(e); });
  if (at) run.traces[at->trace].events[at->event].hash ^= 1ull << 63;
  return at.has_value();
}

bool use_a_stamp_again(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::send && p.event + 1 < run.traces[p.trace].events.size();
  });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  Event again = events[at->event];
  again.hash ^= 1ull << 62;
  again.submission ^= 1ull << 62;
  events.insert(events.begin() + at->event + 1, again);
  return true;
}

bool lose_a_sending(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::send && !index.deliveries(index.messages()[index.message_of(p)]).empty();
  });
  if (at) erase(run, *at);
  return at.has_value();
}

bool name_another_sender(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [](Place, const Event& e) { return is_delivery(e); });
  if (at) run.traces[at->trace].events[at->event].sender.incarnation += 1;
  return at.has_value();
}

// M1: what became safe only among those who went on is delivered before the change is told.
bool safe_too_early(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    if (!is_delivery(e) || e.service != Service::safe) return false;
    const Step& step = index.steps(p.trace)[index.step_of(p)];
    if (!step.transitional || p.event != step.event + 1) return false;  // the first one there: nothing else moves
    const Message& m = index.messages()[index.message_of(p)];
    for (const Installation& by : index.installed(m.ring).by) {  // somebody who has left the ring without it
      const auto deliveries = index.deliveries(m);
      const bool delivered =
          std::any_of(deliveries.begin(), deliveries.end(), [&](const Mention& d) { return d.at.trace == by.trace; });
      if (!delivered && index.steps(by.trace)[by.step].next_regular != kNone) return true;
    }
    return false;
  });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  events[at->event].conf = events[at->event].ring;
  std::swap(events[at->event], events[at->event - 1]);
  return true;
}

// Mutant M11.
bool forget_the_ring_sequence(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::conf && !run.traces[p.trace].configurations[e.configuration].transitional &&
           index.installed(e.conf).by.size() == 1 && index.steps(p.trace)[index.step_of(p)].previous_regular != kNone;
  });
  if (at) run.traces[at->trace].configurations[run.traces[at->trace].events[at->event].configuration].ring_seq = 0;
  return at.has_value();
}

bool forget_a_member(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::conf && index.installed(e.conf).by.size() > 1 &&
           run.traces[p.trace].configurations[e.configuration].members.size() > 1;
  });
  if (!at) return false;
  Trace& trace = run.traces[at->trace];
  auto& members = trace.configurations[trace.events[at->event].configuration].members;
  members.erase(std::find_if(members.begin(), members.end(), [&](uint32_t m) { return m != trace.process.nodeid; }));
  return true;
}

bool tell_a_member_as_new(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) { return e.kind == Kind::conf && index.step_of(p) > 0; });
  if (!at) return false;
  Trace& trace = run.traces[at->trace];
  trace.configurations[trace.events[at->event].configuration].joined.push_back(trace.process.nodeid);
  return true;
}

bool skip_a_transition(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::conf && run.traces[p.trace].configurations[e.configuration].transitional;
  });
  if (at) erase(run, *at);
  return at.has_value();
}

bool send_in_a_transition(Run& run, const Index&, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::conf && run.traces[p.trace].configurations[e.configuration].transitional && p.event > 0 &&
           run.traces[p.trace].events[p.event - 1].kind == Kind::send;
  });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  std::swap(events[at->event], events[at->event - 1]);
  return true;
}

// At rest, one of them heard nothing of the last change.
bool stay_behind(Run& run, const Index& index, Random& random) {
  const auto at = choose(run, random, [&](Place p, const Event& e) {
    return e.kind == Kind::conf && index.ending(p.trace) == Ending::alive &&
           index.step_of(p) + 1 == index.steps(p.trace).size() && index.step_of(p) > 0 &&
           index.installed(e.conf).members.size() > 1;
  });
  if (!at) return false;
  auto& events = run.traces[at->trace].events;
  events.resize(index.steps(at->trace)[index.step_of(*at) - 1].event);
  run.traces[at->trace].end();
  return true;
}

constexpr Fault kAll[] = {
    {"a delivery in company is dropped", drop_in_company, "4"},
    {"an own message is dropped", drop_own, "3"},
    {"an agreed message is dropped before the next", drop_in_order, "6.2"},
    {"a safe message is dropped", drop_safe, "7.1"},
    {"agreed messages change places", swap_agreed, "6.1"},
    {"FIFO messages change places", swap_fifo, "5"},
    {"a delivery is repeated", repeat, "1.4"},
    {"a delivery names another configuration", name_another_configuration, "2.2"},
    {"a hash changes", change_hash, "1.3"},
    {"a stamp is used again", use_a_stamp_again, "1.3"},
    {"a sending is lost", lose_a_sending, "1.2"},
    {"another sender is named", name_another_sender, "1.2"},
    {"safe is delivered too early", safe_too_early, "7.1"},
    {"the ring sequence is forgotten", forget_the_ring_sequence, "W5"},
    {"a member is forgotten", forget_a_member, "W4"},
    {"a member is told as new", tell_a_member_as_new, "W8"},
    {"a transition is skipped", skip_a_transition, "W2"},
    {"a message is sent in a transition", send_in_a_transition, "2.2"},
    {"one stays behind", stay_behind, "2.1"},
};

}  // namespace

std::span<const Fault> faults() {
  return kAll;
}

}  // namespace evs::verify
