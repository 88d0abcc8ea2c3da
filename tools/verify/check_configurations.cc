// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_configurations.cc - W1 to W5, and W8: is what one process installed well-formed, and is a name one
// configuration everywhere?
#include <algorithm>
#include <iterator>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

const Configuration& shape(const Index& index, uint32_t trace, const Step& step) {
  const Trace& t = index.run().traces[trace];
  return t.configurations[t.events[step.event].configuration];
}

void check_first(const Index& index, uint32_t trace, Findings& findings) {
  const Step& first = index.steps(trace).front();
  const Configuration& c = shape(index, trace, first);
  if (first.transitional)
    findings.add("W1", index.who(trace) + " begins with the transitional configuration " + index.name(c.id) + ".",
                 {{trace, first.event}});
  else if (index.run().traces[trace].level == Level::host && c.members.size() > 1)
    findings.add("W1",
                 index.who(trace) + " is a host and begins with " + index.name(c.id) + ", which has " +
                     std::to_string(c.members.size()) + " members: a host begins alone.",
                 {{trace, first.event}});
}

// Regular, transitional, regular, ...; a transitional one closes the regular one before it.
void check_alternation(const Index& index, uint32_t trace, Findings& findings) {
  const std::vector<Step>& steps = index.steps(trace);
  for (uint32_t s = 1; s < steps.size(); ++s) {
    const Step& before = steps[s - 1];
    const Step& step = steps[s];
    const std::string who = index.who(trace);
    if (before.transitional == step.transitional)
      findings.add("W2",
                   who + " installs " + index.name(step.conf) + " right after " + index.name(before.conf) +
                       ", and both are " + (step.transitional ? "transitional." : "regular."),
                   {{trace, before.event}, {trace, step.event}});
    else if (step.transitional && shape(index, trace, step).regular != before.conf)
      findings.add("W2",
                   who + " installs " + index.name(step.conf) + " after " + index.name(before.conf) +
                       ", but it closes " + index.name(shape(index, trace, step).regular) + ".",
                   {{trace, before.event}, {trace, step.event}});
  }
}

void check_membership(const Index& index, uint32_t trace, Findings& findings) {
  const uint32_t nodeid = index.run().traces[trace].process.nodeid;
  for (const Step& step : index.steps(trace)) {
    const std::vector<uint32_t>& members = shape(index, trace, step).members;
    if (std::find(members.begin(), members.end(), nodeid) == members.end())
      findings.add("W3", index.who(trace) + " installs " + index.name(step.conf) + " and is no member of it.",
                   {{trace, step.event}});
  }
}

// Empty when both are the same.
std::string difference(const Configuration& a, const Configuration& b) {
  if (a.transitional != b.transitional) return "their types";
  if (a.regular != b.regular) return "the regular configurations that they close";
  if (a.ring_seq != b.ring_seq) return "their ring sequences";
  if (a.members == b.members) return {};
  std::vector<uint32_t> mine = a.members, other = b.members;
  std::sort(mine.begin(), mine.end());
  std::sort(other.begin(), other.end());
  return mine == other ? std::string() : "their members";
}

void check_names(const Index& index, Findings& findings) {
  for (uint32_t token = 0; token < index.run().names.count(); ++token) {
    const Installed& installed = index.installed({token});
    for (const Installation& by : installed.by) {
      const Step& step = index.steps(by.trace)[by.step];
      const std::string differs = difference(*installed.shape, shape(index, by.trace, step));
      if (differs.empty()) continue;
      const Installation& first = installed.by.front();
      findings.add("W4",
                   index.who(first.trace) + " and " + index.who(by.trace) + " both install " + index.name({token}) +
                       ", but " + differs + " differ.",
                   {index.at(first.trace, first.step), {by.trace, step.event}});
    }
  }
}

// Across incarnations too: the sequence is what a process must not forget when it crashes.
void check_ring_seq(const Index& index, Findings& findings) {
  for (const uint32_t nodeid : index.nodeids()) {
    uint64_t highest = 0;
    const Step* holder = nullptr;
    uint32_t held_by = 0;
    for (const uint32_t trace : index.incarnations(nodeid)) {
      for (const Step& step : index.steps(trace)) {
        if (step.transitional) continue;
        const uint64_t seq = shape(index, trace, step).ring_seq;
        if (holder != nullptr && seq <= highest)
          findings.add("W5",
                       index.who(trace) + " installs " + index.name(step.conf) + " with ring sequence " +
                           std::to_string(seq) + " after " + index.who(held_by) + " had " + std::to_string(highest) +
                           ".",
                       {{held_by, holder->event}, {trace, step.event}});
        if (holder != nullptr && seq < highest) continue;
        highest = seq;
        holder = &step;
        held_by = trace;
      }
    }
  }
}

std::vector<uint32_t> sorted(std::vector<uint32_t> list) {
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<uint32_t> minus(const std::vector<uint32_t>& from, const std::vector<uint32_t>& what) {
  std::vector<uint32_t> rest;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(), std::back_inserter(rest));
  return rest;
}

std::string text_of(const std::vector<uint32_t>& list) {
  std::string out;
  for (const uint32_t nodeid : list) out += (out.empty() ? "" : ",") + std::to_string(nodeid);
  return out.empty() ? "nobody" : out;
}

// Against what was installed right before; first of all, the process itself is new. A writer that tells neither list
// tells of no change, and is not asked.
void check_lists(const Index& index, uint32_t trace, Findings& findings) {
  const uint32_t nodeid = index.run().traces[trace].process.nodeid;
  const std::vector<Step>& steps = index.steps(trace);
  for (uint32_t s = 0; s < steps.size(); ++s) {
    const Configuration& c = shape(index, trace, steps[s]);
    if (c.joined.empty() && c.left.empty()) continue;
    const std::vector<uint32_t> members = sorted(c.members);
    const std::vector<uint32_t> before = s == 0 ? minus(members, {nodeid}) : sorted(shape(index, trace, steps[s - 1]).members);
    std::vector<Place> evidence{index.at(trace, s)};
    if (s != 0) evidence.insert(evidence.begin(), index.at(trace, s - 1));
    const auto ask = [&](const char* list, const std::vector<uint32_t>& told, const std::vector<uint32_t>& is) {
      if (sorted(told) == is) return;
      findings.add("W8",
                   index.who(trace) + " installs " + index.name(c.id) +
                       (s == 0 ? " first" : " after " + index.name(steps[s - 1].conf)) + " and is told that " + text_of(sorted(told)) + " " + list +
                       "; who did is " + text_of(is) + ".",
                   evidence);
    };
    ask("joined", c.joined, minus(members, before));
    ask("left", c.left, minus(before, members));
  }
}

}  // namespace

void check_configurations(const Index& index, Findings& findings) {
  for (uint32_t trace = 0; trace < index.trace_count(); ++trace) {
    if (index.steps(trace).empty()) continue;
    check_first(index, trace, findings);
    check_alternation(index, trace, findings);
    check_membership(index, trace, findings);
    check_lists(index, trace, findings);
  }
  check_names(index, findings);
  check_ring_seq(index, findings);
}

}  // namespace evs::verify
