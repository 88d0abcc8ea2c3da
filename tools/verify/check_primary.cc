// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_primary.cc - P1 to P5: the primary configurations are one chain, and their epochs number it.
//
// P1 to P3 are asked of processes and of hosts. Which hosts were in a primary ring no process's trace shows, and between two that follow each other there
// may be no process that was in both; so P4 and P5 are asked of hosts alone.
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

struct Primary {
  uint64_t epoch = 0, of = 0;
  Token conf;
  uint64_t ring_seq = 0;
  Place at;  // where it is declared first
  Level level = Level::host;
};

// Of a declaration that stands in the wrong place 2.2 says so.
bool is_declared(const Index& index, Place at) {
  const Event& event = index.event(at);
  if (event.kind != Kind::prim || event.epoch() == 0) return false;
  const uint32_t step = index.step_of(at);
  return step != kNone && index.steps(at.trace)[step].conf == event.conf && !index.steps(at.trace)[step].transitional;
}

std::string numbered(uint64_t epoch) { return std::string("epoch ").append(std::to_string(epoch)); }

// P1, and all of them in the order of epochs.
std::vector<Primary> collect(const Index& index, Findings& findings) {
  std::unordered_map<uint32_t, Primary> by_conf;
  std::map<uint64_t, Primary> by_epoch;
  std::vector<Primary> all;
  for (uint32_t trace = 0; trace < index.trace_count(); ++trace) {
    const Trace& t = index.run().traces[trace];
    for (uint32_t i = 0; i < t.events.size(); ++i) {
      const Place at{trace, i};
      if (!is_declared(index, at)) continue;
      const Event& event = t.events[i];
      const Primary here{event.epoch(), event.of(), event.conf, index.ring_seq(event.conf), at, t.level};
      const auto [known, fresh] = by_conf.emplace(event.conf.value, here);
      if (!fresh) {
        if (known->second.epoch != here.epoch || known->second.of != here.of)
          findings.add("P1", index.who(known->second.at.trace) + " and " + index.who(trace) + " declare " + index.name(event.conf) +
                                 " primary, with " + numbered(known->second.epoch) + " and with " + numbered(here.epoch) + ".",
                       {known->second.at, at});
        continue;
      }
      all.push_back(here);
      const auto [same, first] = by_epoch.emplace(here.epoch, here);
      if (!first && t.level == Level::host)
        findings.add("P1", "Two configurations are primary with " + numbered(here.epoch) + ": " + index.name(same->second.conf) + " and " +
                               index.name(here.conf) + ".",
                     {same->second.at, at});
    }
  }
  std::sort(all.begin(), all.end(), [](const Primary& a, const Primary& b) { return std::tie(a.epoch, a.ring_seq, a.at) < std::tie(b.epoch, b.ring_seq, b.at); });
  return all;
}

// P2: over all incarnations of a process. A process may be told several configurations of one epoch, a host may not.
void check_epochs_rise(const Index& index, Findings& findings) {
  for (const uint32_t nodeid : index.nodeids()) {
    const Event* before = nullptr;
    Place before_at;
    for (const uint32_t trace : index.incarnations(nodeid)) {
      const Trace& t = index.run().traces[trace];
      for (uint32_t i = 0; i < t.events.size(); ++i) {
        if (!is_declared(index, {trace, i})) continue;
        const Event& here = t.events[i];
        const bool falls = before != nullptr && (here.epoch() < before->epoch() || (here.epoch() == before->epoch() && t.level == Level::host && here.conf != before->conf));
        if (falls)
          findings.add("P2", index.who(trace) + " is in the primary " + index.name(here.conf) + " with " + numbered(here.epoch()) + ", after " +
                                 index.name(before->conf) + " with " + numbered(before->epoch()) + ".",
                       {before_at, {trace, i}});
        before = &here;
        before_at = {trace, i};
      }
    }
  }
}

// P3: whoever is later in the chain was formed later.
void check_order(const Index& index, const std::vector<Primary>& all, Findings& findings) {
  const Primary* latest = nullptr;  // of the epochs before this one
  for (size_t i = 0, begin = 0; i < all.size(); ++i) {
    if (all[i].epoch != all[begin].epoch) {
      for (; begin < i; ++begin)
        if (latest == nullptr || all[begin].ring_seq > latest->ring_seq) latest = &all[begin];
    }
    if (latest == nullptr || all[i].ring_seq > latest->ring_seq) continue;
    findings.add("P3", index.name(all[i].conf) + " is primary with " + numbered(all[i].epoch) + " and has ring sequence " + std::to_string(all[i].ring_seq) + "; " +
                           index.name(latest->conf) + ", with " + numbered(latest->epoch) + ", has " + std::to_string(latest->ring_seq) + ".",
                 {latest->at, all[i].at});
  }
}

std::vector<uint32_t> in_both(const Index& index, const Primary& a, const Primary& b) {
  std::vector<uint32_t> both;
  for (const uint32_t nodeid : index.installed(a.conf).members)
    if (index.is_member(nodeid, b.conf)) both.push_back(nodeid);
  return both;
}

// P4, of two that follow each other.
void check_majority(const Index& index, const Primary& a, const Primary& b, Findings& findings) {
  const size_t both = in_both(index, a, b).size(), before = index.installed(a.conf).members.size(), here = index.installed(b.conf).members.size();
  const std::string name = index.name(b.conf) + ", primary with " + numbered(b.epoch) + ", ";
  if (b.of == 0 && 2 * both <= before)
    findings.add("P4", name + "holds " + std::to_string(both) + " of the " + std::to_string(before) + " members of " + index.name(a.conf) +
                           ", primary before it with " + numbered(a.epoch) + ": no majority.", {a.at, b.at});
  if (b.of != 0 && both == 0)
    findings.add("P4", name + "has no member of " + index.name(a.conf) + ", primary before it with " + numbered(a.epoch) + ".", {a.at, b.at});
  if (b.of != 0 && 2 * here <= b.of)
    findings.add("P4", name + "has " + std::to_string(here) + " members, which are no majority of " + std::to_string(b.of) + ".", {b.at});
}

// P5: nobody is in two that could stand side by side. Each member of a primary one has voted in it, so it has been there.
void check_follows(const Index& index, const Primary& a, const Primary& b, Findings& findings) {
  for (const uint32_t nodeid : in_both(index, a, b)) {
    bool was_there = false;
    for (const uint32_t trace : index.incarnations(nodeid)) {
      const uint32_t first = index.step_in(trace, a.conf), second = index.step_in(trace, b.conf);
      if (second != kNone && !was_there && (first == kNone || first > second)) {
        findings.add("P5", index.who(trace) + " is a member of the primary " + index.name(a.conf) + " with " + numbered(a.epoch) + " and of " + index.name(b.conf) +
                               " with " + numbered(b.epoch) + ", and installs the later one without having been in the former.",
                     {a.at, index.at(trace, second)});
        break;
      }
      was_there |= first != kNone;
    }
  }
}

}  // namespace

void check_primary(const Index& index, Findings& findings) {
  const std::vector<Primary> all = collect(index, findings);
  check_epochs_rise(index, findings);
  check_order(index, all, findings);
  if (index.options().partial) return;  // one between may be missing
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i].level != Level::host || all[i].epoch == all[i - 1].epoch) continue;
    check_majority(index, all[i - 1], all[i], findings);
    check_follows(index, all[i - 1], all[i], findings);
  }
}

}  // namespace evs::verify
