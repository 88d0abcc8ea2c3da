// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_liveness.cc - L1 and L2, for a run that came to rest: did the connected find each other, and did
// what the applications submitted arrive?
//
// Who could reach whom is nothing that traces show: the caller says so. L2 asks of a submission that it was sent at all
// and delivered by its sender; and where it was sent in the configuration that the group shares at the end, by all of
// the group. (One that was sent in an earlier configuration is owed to that configuration's members, which 4 and 7 see
// to.)
#include <algorithm>
#include <unordered_map>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

class Liveness {
 public:
  Liveness(const Index& index, const std::vector<uint32_t>& group, Findings& findings)
      : index_(index), findings_(findings) {
    for (const uint32_t nodeid : group)
      for (const uint32_t trace : index.incarnations(nodeid))
        if (index.ending(trace) == Ending::alive) living_.push_back(trace);
  }

  void check() {
    if (!living_.empty()) check_one_configuration();
    for (const uint32_t trace : living_) check_submissions(trace);
  }

 private:
  // Its last configuration, if it is regular.
  Token rests_in(uint32_t trace) const {
    if (index_.steps(trace).empty() || index_.steps(trace).back().transitional) return {};
    return index_.steps(trace).back().conf;
  }

  void check_one_configuration() {
    const uint32_t first = living_.front();
    const Token shared = rests_in(first);
    for (const uint32_t trace : living_) {
      if (rests_in(trace) == Token{})
        findings_.add("L1", index_.who(trace) + " came to rest outside of any regular configuration.",
                      {index_.last(trace)});
      else if (shared != Token{} && rests_in(trace) != shared)
        findings_.add("L1",
                      index_.who(first) + " and " + index_.who(trace) + " could reach each other and came to rest in " +
                          index_.name(shared) + " and " + index_.name(rests_in(trace)) + ".",
                      {last_installation(first), last_installation(trace)});
    }
  }

  Place last_installation(uint32_t trace) const { return {trace, index_.steps(trace).back().event}; }

  void check_submissions(uint32_t trace) {
    const std::vector<Event>& events = index_.run().traces[trace].events;
    std::unordered_map<uint64_t, uint32_t> sent;
    for (uint32_t i = 0; i < events.size(); ++i)
      if (events[i].kind == Kind::send) {
        if (events[i].submission != 0) sent.emplace(events[i].submission, i);
        check_arrival(trace, i);
      }
    for (uint32_t i = 0; i < events.size(); ++i)
      if (events[i].kind == Kind::submit && events[i].submission != 0 && !sent.contains(events[i].submission))
        findings_.add(
            "L2",
            "What " + index_.who(trace) + " submitted as " + std::to_string(events[i].submission) + " was never sent.",
            {{trace, i}});
  }

  void check_arrival(uint32_t trace, uint32_t event) {
    const Message& m = index_.messages()[index_.message_of({trace, event})];
    const bool for_all = m.ring == rests_in(trace);
    for (const uint32_t receiver : living_) {
      if (receiver != trace && (!for_all || rests_in(receiver) != m.ring)) continue;
      const auto deliveries = index_.deliveries(m);
      if (std::any_of(deliveries.begin(), deliveries.end(), [&](const Mention& d) { return d.at.trace == receiver; }))
        continue;
      findings_.add(
          "L2", index_.message(m) + ", sent by " + index_.who(trace) + ", never reached " + index_.who(receiver) + ".",
          {{trace, event}, index_.last(receiver)});
    }
  }

  const Index& index_;
  Findings& findings_;
  std::vector<uint32_t> living_;  // traces
};

}  // namespace

std::vector<Violation> check_liveness(const Run& run, const std::vector<std::vector<uint32_t>>& connected,
                                      const Options& options) {
  const Index index(run, options);
  Findings findings(run, options);
  for (const std::vector<uint32_t>& group : connected) Liveness(index, group, findings).check();
  return findings.take();
}

}  // namespace evs::verify
