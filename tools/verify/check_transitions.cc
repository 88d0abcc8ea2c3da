// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_transitions.cc - W6, W7, 2.1: who goes on together, where to, and who stays.
//
// A transitional configuration T at p, from R to R', holds exactly those members of R and R' who themselves come to R'
// from R. Being a member of both is not enough: somebody may have been elsewhere in between.
#include <algorithm>
#include <map>
#include <set>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

bool has(const std::vector<uint32_t>& sorted, uint32_t nodeid) {
  return std::binary_search(sorted.begin(), sorted.end(), nodeid);
}

void check_inside_regular(const Index& index, Installation at, const Step& step, Findings& findings) {
  const Installed& regular = index.installed(step.regular);
  if (regular.shape == nullptr) return;
  for (const uint32_t nodeid : index.installed(step.conf).members) {
    if (has(regular.members, nodeid)) continue;
    findings.add("W6",
                 index.who(at.trace) + " installs the transitional configuration " + index.name(step.conf) +
                     " with member " + std::to_string(nodeid) + ", who is no member of " + index.name(step.regular) +
                     ", which it closes.",
                 {{at.trace, step.event}});
  }
}

// `came_from`: for each process with a trace that installed R', the installation, by nodeid.
void check_companions(const Index& index, Installation at, Token next,
                      const std::map<uint32_t, Installation>& came_from, Findings& findings) {
  const Step& step = index.steps(at.trace)[at.step];
  const auto from_here = [&](Installation other) {
    const Step& there = index.steps(other.trace)[other.step];
    return there.previous_regular != kNone && index.steps(other.trace)[there.previous_regular].conf == step.regular;
  };
  const Installed& transitional = index.installed(step.conf);
  for (const uint32_t nodeid : transitional.members) {
    if (!has(index.installed(next).members, nodeid)) {
      findings.add("W6",
                   index.who(at.trace) + " goes on from " + index.name(step.conf) + " to " + index.name(next) +
                       " without " + std::to_string(nodeid) + ", a member of the transitional configuration alone.",
                   {{at.trace, step.event}, index.at(at.trace, step.next_regular)});
      continue;
    }
    const auto other = came_from.find(nodeid);
    if (other == came_from.end()) continue;
    const Installation came = other->second;
    const Step* const through = came.step > 0 ? &index.steps(came.trace)[came.step - 1] : nullptr;
    if (from_here(came) && through->transitional && through->conf != step.conf)
      findings.add("W6",
                   index.who(at.trace) + " and " + index.who(came.trace) + " go on together from " +
                       index.name(step.regular) + " to " + index.name(next) +
                       ", but through two transitional configurations, " + index.name(step.conf) + " and " +
                       index.name(through->conf) + ".",
                   {{at.trace, step.event}, {came.trace, through->event}});
    if (!from_here(came))
      findings.add("W6",
                   index.who(at.trace) + " has " + std::to_string(nodeid) + " in the transitional configuration " +
                       index.name(step.conf) + ", but " + index.who(came.trace) + " comes to " + index.name(next) +
                       " from elsewhere than " + index.name(step.regular) + ".",
                   {{at.trace, step.event}, index.at(came.trace, came.step)});
  }
  for (const auto& [nodeid, other] : came_from) {
    if (has(transitional.members, nodeid) || !from_here(other)) continue;
    findings.add("W6",
                 index.who(other.trace) + " comes to " + index.name(next) + " from " + index.name(step.regular) +
                     " as " + index.who(at.trace) + " does, but is missing in its transitional configuration " +
                     index.name(step.conf) + ".",
                 {{at.trace, step.event}, index.at(other.trace, other.step)});
  }
}

void check_regular_after_transitional(const Index& index, Token next, Findings& findings) {
  std::map<uint32_t, Installation> came_from;
  for (const Installation& by : index.installed(next).by) {
    if (!index.steps(by.trace)[by.step].transitional)
      came_from.emplace(index.run().traces[by.trace].process.nodeid, by);
  }
  std::set<Token> seen;
  for (const Installation& by : index.installed(next).by) {
    const Step& step = index.steps(by.trace)[by.step];
    if (step.transitional || by.step == 0) continue;
    const Step& before = index.steps(by.trace)[by.step - 1];
    if (!before.transitional || before.previous_regular == kNone) continue;  // W2, W1
    if (!seen.insert(before.conf).second) continue;                          // members are the same for all: W4
    check_companions(index, {by.trace, by.step - 1}, next, came_from, findings);
  }
}

void check_same_goal(const Index& index, Token transitional, Findings& findings) {
  const Installation* first = nullptr;
  for (const Installation& by : index.installed(transitional).by) {
    const Step& step = index.steps(by.trace)[by.step];
    if (!step.transitional || step.next_regular == kNone) continue;
    if (first == nullptr) {
      first = &by;
      continue;
    }
    const Step& other = index.steps(first->trace)[first->step];
    const Token mine = index.steps(by.trace)[step.next_regular].conf;
    const Token others = index.steps(first->trace)[other.next_regular].conf;
    if (mine == others) continue;
    findings.add("W7",
                 index.who(first->trace) + " and " + index.who(by.trace) + " both install " + index.name(transitional) +
                     ", but one goes on to " + index.name(others) + " and the other to " + index.name(mine) + ".",
                 {{first->trace, other.event},
                  index.at(first->trace, other.next_regular),
                  {by.trace, step.event},
                  index.at(by.trace, step.next_regular)});
  }
}

// At rest: whoever is in a configuration is in it with all of its members.
void check_rest(const Index& index, Findings& findings) {
  for (uint32_t trace = 0; trace < index.trace_count(); ++trace) {
    if (index.ending(trace) != Ending::alive || index.steps(trace).empty()) continue;
    const Step& last = index.steps(trace).back();
    for (const uint32_t nodeid : index.installed(last.conf).members) {
      const auto incarnations = index.incarnations(nodeid);
      if (incarnations.empty() && index.options().partial) continue;
      std::vector<Place> evidence = {{trace, last.event}};
      bool with_us = false;
      for (const uint32_t other : incarnations) {
        with_us = with_us || (index.ending(other) == Ending::alive && !index.steps(other).empty() &&
                              index.steps(other).back().conf == last.conf);
        if (other == incarnations.back()) evidence.push_back(index.last(other));
      }
      if (with_us) continue;
      findings.add("2.1",
                   index.who(trace) + " ends in " + index.name(last.conf) + " and was never told that its member " +
                       std::to_string(nodeid) + " is not there.",
                   evidence);
    }
  }
}

}  // namespace

void check_transitions(const Index& index, Findings& findings) {
  for (uint32_t token = 0; token < index.run().names.count(); ++token) {
    const Installed& installed = index.installed({token});
    if (installed.shape == nullptr) continue;
    if (!installed.shape->transitional) {
      check_regular_after_transitional(index, {token}, findings);
      continue;
    }
    const Installation& first = installed.by.front();
    check_inside_regular(index, first, index.steps(first.trace)[first.step], findings);
    check_same_goal(index, {token}, findings);
  }
  if (index.options().quiescent) check_rest(index, findings);
}

}  // namespace evs::verify
