// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_sets.cc - 3 and 4: what I sent I deliver; who goes the same way has delivered the same.
//
// Axiom 4 compares sets, one a process and configuration. The sets are compared by a sum of mixed message numbers,
// which is the same in any order; only where two sums differ are the sets themselves built.
#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

void check_self_delivery(const Index& index, Findings& findings) {
  for (const Message& m : index.messages()) {
    for (const Mention& sending : index.sendings(m)) {
      const uint32_t trace = sending.at.trace;
      const uint32_t here = index.step_of(sending.at);
      if (here == kNone || index.steps(trace)[here].next_regular == kNone) continue;
      const auto deliveries = index.deliveries(m);
      const bool delivered = std::any_of(deliveries.begin(), deliveries.end(), [&](const Mention& mention) {
        return mention.at.trace == trace && index.counts(mention.at);
      });
      if (delivered) continue;
      findings.add("3",
                   index.who(trace) + " sends " + index.message(m) +
                       " and goes on to the next regular configuration without having delivered it.",
                   {sending.at, index.at(trace, index.steps(trace)[here].next_regular)});
    }
  }
}

uint64_t mixed(uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The deliveries of one step that count, by message number.
std::vector<std::pair<uint32_t, Place>> delivered_in(const Index& index, uint32_t trace, uint32_t step) {
  const std::vector<Step>& steps = index.steps(trace);
  const uint32_t end =
      step + 1 < steps.size() ? steps[step + 1].event : static_cast<uint32_t>(index.run().traces[trace].events.size());
  std::vector<std::pair<uint32_t, Place>> out;
  for (uint32_t i = steps[step].event; i < end; ++i)
    if (index.counts({trace, i})) out.emplace_back(index.message_of({trace, i}), Place{trace, i});
  std::sort(out.begin(), out.end());
  return out;
}

void tell_difference(const Index& index, Installation a, Installation b, Findings& findings) {
  const auto mine = delivered_in(index, a.trace, a.step), other = delivered_in(index, b.trace, b.step);
  const auto by_message = [](const auto& x, const auto& y) { return x.first < y.first; };
  std::vector<std::pair<uint32_t, Place>> only;
  std::set_symmetric_difference(mine.begin(), mine.end(), other.begin(), other.end(), std::back_inserter(only),
                                by_message);
  if (only.empty()) return;
  const auto& [message, place] = only.front();
  const Installation without = place.trace == a.trace ? b : a;
  const Step& step = index.steps(without.trace)[without.step];
  findings.add("4",
               index.who(place.trace) + " and " + index.who(without.trace) + " go on from " + index.name(step.conf) +
                   " to " + index.name(index.steps(without.trace)[without.step + 1].conf) + " together, but in " +
                   index.name(step.conf) + " only " + index.who(place.trace) + " delivered " +
                   index.message(index.messages()[message]) +
                   (only.size() > 1 ? " (and " + std::to_string(only.size() - 1) + " more differ)." : "."),
               {place, index.at(without.trace, without.step), index.at(without.trace, without.step + 1)});
}

void check_atomicity(const Index& index, Findings& findings) {
  struct First {
    Installation at;
    uint64_t sum;
  };
  std::unordered_map<uint64_t, First> firsts;  // by configuration and next configuration
  for (uint32_t trace = 0; trace < index.trace_count(); ++trace) {
    const std::vector<Step>& steps = index.steps(trace);
    for (uint32_t s = 0; s + 1 < steps.size(); ++s) {
      uint64_t sum = 0;
      for (uint32_t event = steps[s].event; event < steps[s + 1].event; ++event)
        if (index.counts({trace, event})) sum += mixed(index.message_of({trace, event}));
      const uint64_t way = uint64_t{steps[s].conf.value} << 32 | steps[s + 1].conf.value;
      const auto [first, fresh] = firsts.emplace(way, First{{trace, s}, sum});
      if (!fresh && first->second.sum != sum) tell_difference(index, first->second.at, {trace, s}, findings);
    }
  }
}

}  // namespace

void check_sets(const Index& index, Findings& findings) {
  check_self_delivery(index, findings);
  check_atomicity(index, findings);
}

}  // namespace evs::verify
