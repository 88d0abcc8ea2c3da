// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_safe.cc - 7.1 and 7.2: a safe message is delivered by every member of the configuration that one
// of them delivered it in, unless death prevents it.
//
// "A member" is a nodeid, and which of its incarnations was meant a list of members does not say. It is the one that
// installed the regular configuration; where none did, one that failed before it could.
#include <algorithm>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

class SafeDelivery {
 public:
  SafeDelivery(const Index& index, const Message& m, Findings& findings) : index_(index), m_(m), findings_(findings) {}

  void check() {
    for (const Mention& delivery : index_.deliveries(m_)) {
      if (!index_.counts(delivery.at)) continue;
      delivered_by_.push_back(nodeid(delivery.at.trace));
    }
    std::sort(delivered_by_.begin(), delivered_by_.end());
    std::vector<Token> looked_at;
    for (const Mention& delivery : index_.deliveries(m_)) {
      if (!index_.counts(delivery.at)) continue;
      const Step& step = index_.steps(delivery.at.trace)[index_.step_of(delivery.at)];
      if (std::find(looked_at.begin(), looked_at.end(), step.conf) != looked_at.end()) continue;
      looked_at.push_back(step.conf);
      for (const uint32_t member : index_.installed(step.conf).members)
        if (!std::binary_search(delivered_by_.begin(), delivered_by_.end(), member))
          check_member(delivery.at, step, member);
    }
  }

 private:
  uint32_t nodeid(uint32_t trace) const { return index_.run().traces[trace].process.nodeid; }

  void check_member(Place delivery, const Step& where, uint32_t member) {
    const auto incarnations = index_.incarnations(member);
    if (incarnations.empty() && index_.options().partial) return;
    for (const uint32_t trace : incarnations) {
      const uint32_t step = index_.step_in(trace, m_.ring);
      if (step == kNone) continue;
      const uint32_t left = index_.steps(trace)[step].next_regular;
      if (left == kNone && excused_by_its_end(trace)) return;
      findings_.add("7.1",
                    told(delivery, where) + "its member " + index_.who(trace) +
                        (left == kNone ? " never delivers it." : " goes on without having delivered it."),
                    {delivery, index_.at(trace, step), left == kNone ? index_.last(trace) : index_.at(trace, left)});
      return;
    }
    if (never_came(incarnations)) {
      std::vector<Place> proof = {delivery};
      if (!incarnations.empty()) proof.push_back(index_.last(incarnations.back()));
      findings_.add(where.transitional ? "7.1" : "7.2",
                    told(delivery, where) + "its member " + std::to_string(member) + " never installs " +
                        index_.name(m_.ring) + ".",
                    proof);
    }
  }

  // Nobody of them installed the ring. True when none may still do so, and none failed before it could.
  bool never_came(std::span<const uint32_t> incarnations) const {
    return std::none_of(incarnations.begin(), incarnations.end(), [&](uint32_t trace) {
      return index_.highest_ring_seq(trace) < index_.ring_seq(m_.ring) && excused_by_its_end(trace);
    });
  }

  // A run that was cut off may owe what it did not live to do; one that came to rest may not.
  bool excused_by_its_end(uint32_t trace) const {
    return index_.ending(trace) != Ending::alive || !index_.options().quiescent;
  }

  std::string told(Place delivery, const Step& where) const {
    return index_.who(delivery.trace) + " delivers the safe message " + index_.message(m_) + " in " +
           index_.name(where.conf) + ", but ";
  }

  const Index& index_;
  const Message& m_;
  Findings& findings_;
  std::vector<uint32_t> delivered_by_;  // nodeids, sorted
};

}  // namespace

void check_safe(const Index& index, Findings& findings) {
  for (const Message& m : index.messages())
    if (m.first->service == Service::safe) SafeDelivery(index, m, findings).check();
}

}  // namespace evs::verify
