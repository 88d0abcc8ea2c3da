// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_order.cc - 5, 6.2, and of 6.1 what the stamps alone show. One ring at a time, one trace at a time.
//
// 5 asks that a message's causes come before it. Only its direct causes are looked at: what its sender sent or
// delivered since it last sent, and that last sending. The causes of those are asked for where they are delivered
// themselves, so all causes are covered, and no vector of clocks is needed. UNORDERED messages are promised nothing and
// are no cause; a FIFO message has one direct cause, its sender's FIFO message before it.
#include <algorithm>

#include "tools/verify/index.h"

namespace evs::verify {

namespace {

class RingOrder {
 public:
  RingOrder(const Index& index, const Ring& ring, Findings& findings)
      : index_(index), ring_(ring), findings_(findings) {}

  void check() {
    find_causes();
    delivered_at_.assign(ring_.end - ring_.begin, kNone);
    for (const Installation& by : index_.installed(ring_.id).by) {
      if (index_.steps(by.trace)[by.step].transitional) continue;
      if (index_.step_in(by.trace, ring_.id) != by.step) continue;  // installed twice: W5 says so
      check_trace(by.trace, by.step);
    }
  }

 private:
  struct Causes {
    uint32_t begin = 0, end = 0;
  };

  const Message& message(uint32_t number) const { return index_.messages()[number]; }
  uint32_t& delivered_at(uint32_t number) { return delivered_at_[number - ring_.begin]; }

  // One walk over each member's time in the ring.
  void find_causes() {
    causes_of_.assign(ring_.end - ring_.begin, {});
    for (const Installation& by : index_.installed(ring_.id).by) {
      std::vector<uint32_t> since;  // causes of the next agreed message
      uint32_t last_fifo = kNone;
      const auto [begin, end] = events_of(by.trace, by.step, by.step + 1);
      for (uint32_t i = begin; i < end; ++i) {
        const Place place{by.trace, i};
        const uint32_t number = index_.message_of(place);
        if (number == kNone || message(number).ring != ring_.id) continue;
        const Service service = message(number).first->service;
        if (service == Service::unordered) continue;
        if (index_.event(place).kind == Kind::deliver) {
          if (index_.counts(place) && message(number).sender.nodeid != nodeid(by.trace)) since.push_back(number);
          continue;
        }
        if (index_.sendings(message(number))[0].at != place) continue;  // sent twice: 1.3 says so
        if (service == Service::fifo) {
          if (last_fifo != kNone) set_causes(number, {last_fifo});
          last_fifo = number;
          since.push_back(number);
        } else {
          set_causes(number, since);
          since.assign(1, number);
        }
      }
    }
  }

  void set_causes(uint32_t number, const std::vector<uint32_t>& causes) {
    Causes& span = causes_of_[number - ring_.begin];
    span.begin = static_cast<uint32_t>(causes_.size());
    causes_.insert(causes_.end(), causes.begin(), causes.end());
    span.end = static_cast<uint32_t>(causes_.size());
  }

  uint32_t nodeid(uint32_t trace) const { return index_.run().traces[trace].process.nodeid; }

  // The events from step `from` to before step `to`.
  std::pair<uint32_t, uint32_t> events_of(uint32_t trace, uint32_t from, uint32_t to) const {
    const std::vector<Step>& steps = index_.steps(trace);
    const size_t all = index_.run().traces[trace].events.size();
    return {steps[from].event, to < steps.size() ? steps[to].event : static_cast<uint32_t>(all)};
  }

  void check_trace(uint32_t trace, uint32_t step) {
    const std::vector<Step>& steps = index_.steps(trace);
    const uint32_t after = std::min<uint32_t>(steps[step].next_regular, static_cast<uint32_t>(steps.size()));
    const auto [begin, end] = events_of(trace, step, after);
    for (uint32_t i = begin; i < end; ++i)
      if (index_.counts({trace, i})) delivered_at(index_.message_of({trace, i})) = i;
    check_rising(trace, begin, end);
    check_causes(trace, begin, end);
    check_gaps(trace);
    for (uint32_t i = begin; i < end; ++i)
      if (index_.counts({trace, i})) delivered_at(index_.message_of({trace, i})) = kNone;
  }

  void check_rising(uint32_t trace, uint32_t begin, uint32_t end) {
    uint32_t before = kNone;
    for (uint32_t i = begin; i < end; ++i) {
      if (!index_.counts({trace, i})) continue;
      const Message& m = message(index_.message_of({trace, i}));
      if (!m.agreed()) continue;
      if (before != kNone && m.seq < message(index_.message_of({trace, before})).seq)
        findings_.add("6.1",
                      index_.who(trace) + " delivers " + index_.message(m) + " after " +
                          index_.message(message(index_.message_of({trace, before}))) +
                          ", against the order of their stamps.",
                      {{trace, before}, {trace, i}});
      before = i;
    }
  }

  void check_causes(uint32_t trace, uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end; ++i) {
      if (!index_.counts({trace, i})) continue;
      const uint32_t number = index_.message_of({trace, i});
      const Causes& span = causes_of_[number - ring_.begin];
      for (uint32_t c = span.begin; c < span.end; ++c) {
        const uint32_t cause = causes_[c];
        const uint32_t at = delivered_at(cause);
        if (at < i) continue;  // kNone is above all
        const Message& m = message(number);
        const bool fifo = m.first->service == Service::fifo;
        std::vector<Place> proof = {index_.mention(message(cause)), index_.mention(m), {trace, i}};
        if (at != kNone) proof.push_back({trace, at});
        findings_.add("5",
                      index_.who(trace) + " delivers " + index_.message(m) + (at == kNone ? " without " : " before ") +
                          index_.message(message(cause)) +
                          (fifo ? ", which its sender sent first." : ", which is a cause of it."),
                      proof);
      }
    }
  }

  // From the highest stamp down, so that for each hole the next message above it is known.
  void check_gaps(uint32_t trace) {
    uint32_t next = kNone;
    for (uint32_t number = ring_.end; number-- > ring_.begin;) {
      const Message& m = message(number);
      if (!m.agreed()) continue;
      if (delivered_at(number) != kNone) {
        next = number;
        continue;
      }
      if (next == kNone) continue;
      const auto deliveries = index_.deliveries(m);
      const auto by =
          std::find_if(deliveries.begin(), deliveries.end(), [&](const Mention& d) { return index_.counts(d.at); });
      if (by == deliveries.end()) continue;
      const Place place{trace, delivered_at(next)};
      const Step& step = index_.steps(trace)[index_.step_of(place)];
      if (step.transitional && !index_.is_member(m.sender.nodeid, step.conf)) continue;  // lost with its sender
      findings_.add("6.2",
                    index_.who(trace) + " delivers " + index_.message(message(next)) + " in " + index_.name(step.conf) +
                        " without " + index_.message(m) + ", which " + index_.who(by->at.trace) +
                        " delivered and whose sender " + text_of(m.sender) + " is a member there.",
                    {by->at, {trace, step.event}, place});
    }
  }

  const Index& index_;
  const Ring& ring_;
  Findings& findings_;
  std::vector<Causes> causes_of_;       // by message of this ring
  std::vector<uint32_t> causes_;        // message numbers
  std::vector<uint32_t> delivered_at_;  // by message of this ring: where in the trace that is looked at
};

}  // namespace

void check_order(const Index& index, Findings& findings) {
  for (const Ring& ring : index.rings()) RingOrder(index, ring, findings).check();
}

}  // namespace evs::verify
