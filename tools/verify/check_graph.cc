// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/check_graph.cc - 1.1, 2.3, 2.4, 6.1: is there one order of everything?
//
// "Happened before" is the order within each trace, and that a message is sent before it is delivered. Installations of
// one configuration are one moment of a logical order, and so are the deliveries of one agreed or safe message: each
// becomes one node, and what is left must have no cycle.
//
// UNORDERED and FIFO messages are no part of the second statement: who delivers one early knows of its cause before it
// delivers that cause in its turn, and that is no fault. So there are two graphs and two searches: configurations
// merged, with all messages (2.3 and 2.4, which are one statement read from two sides; with nothing merged it is 1.1,
// which is asked only when there is a cycle), and everything merged, with the agreed messages alone (6.1).
#include <algorithm>
#include <array>
#include <set>

#include "tools/verify/graph.h"
#include "tools/verify/index.h"

namespace evs::verify {

namespace {

enum class Merge : uint8_t { nothing, configurations, all };

class Order {
 public:
  Order(const Index& index, Merge merge) : index_(index), merge_(merge) {
    next_node_ = index.run().names.count() + static_cast<uint32_t>(index.messages().size());
    for (uint32_t trace = 0; trace < index.trace_count(); ++trace) add_trace(trace);
    for (const Message& m : index.messages()) add_message(m);
  }

  Graph graph() { return Graph(next_node_, std::move(edges_)); }

 private:
  void add_trace(uint32_t trace) {
    const std::vector<Event>& events = index_.run().traces[trace].events;
    std::vector<uint32_t>& nodes = nodes_.emplace_back(events.size(), kNone);
    uint32_t before = kNone;
    for (uint32_t i = 0; i < events.size(); ++i) {
      const Kind kind = events[i].kind;
      if (kind != Kind::conf && kind != Kind::send && kind != Kind::deliver) continue;
      nodes[i] = node_of({trace, i});
      if (before != kNone) edges_.push_back({nodes[before], nodes[i], {trace, before}, {trace, i}});
      before = i;
    }
  }

  void add_message(const Message& m) {
    if (index_.sendings(m).empty() || (merge_ == Merge::all && !m.agreed())) return;
    const Place sent = index_.sendings(m)[0].at;
    for (const Mention& mention : index_.deliveries(m)) {
      const Place at = mention.at;
      if (at.trace == sent.trace && at.event < sent.event) continue;  // 1.2 says so
      edges_.push_back({nodes_[sent.trace][sent.event], nodes_[at.trace][at.event], sent, at});
    }
  }

  // What stands twice in one trace is not one moment; other predicates say that it may not.
  uint32_t node_of(Place place) {
    const Event& e = index_.event(place);
    if (e.kind == Kind::conf && merge_ != Merge::nothing) {
      const uint32_t first = index_.step_in(place.trace, e.conf);
      if (index_.steps(place.trace)[first].event == place.event) return e.conf.value;
    }
    if (e.kind == Kind::deliver && merge_ == Merge::all && index_.counts(place)) {
      const uint32_t number = index_.message_of(place);
      if (index_.messages()[number].agreed()) return index_.run().names.count() + number;
    }
    return next_node_++;
  }

  const Index& index_;
  Merge merge_;
  uint32_t next_node_ = 0;
  std::vector<std::vector<uint32_t>> nodes_;
  std::vector<Edge> edges_;
};

std::string in_words(const Index& index, Place place) {
  const Event& e = index.event(place);
  if (e.kind == Kind::conf) return "the installation of " + index.name(e.conf);
  const std::string message = index.message(index.messages()[index.message_of(place)]);
  return (e.kind == Kind::send ? "the sending of " : "the delivery of ") + message;
}

void tell(const Index& index, Merge merge, const std::vector<Edge>& cycle, Findings& findings) {
  constexpr size_t kShown = 8;
  std::string sentence;
  std::vector<Place> proof;
  for (size_t i = 0; i < std::min(kShown, cycle.size()); ++i) {
    const Edge& edge = cycle[i];
    const std::string seer = edge.before.trace == edge.after.trace
                                 ? index.who(edge.before.trace) + " has "
                                 : index.who(edge.before.trace) + " to " + index.who(edge.after.trace) + ": ";
    sentence += (i == 0 ? "" : "; ") + seer + in_words(index, edge.before) + " before " + in_words(index, edge.after);
    proof.push_back(edge.before);
    if (edge.after != (i + 1 < cycle.size() ? cycle[i + 1] : cycle[0]).before) proof.push_back(edge.after);
  }
  if (cycle.size() > kShown) sentence += "; and so on through " + std::to_string(cycle.size()) + " steps";
  constexpr std::array kPredicate = {"1.1", "2.3", "6.1"};
  constexpr std::array kSays = {
      " - a circle, so something happened before itself.",
      " - a circle, so a configuration was installed both before and after the same event (2.3, 2.4).",
      " - a circle, so there is no one order of agreed deliveries.",
  };
  const size_t which = static_cast<size_t>(merge);
  findings.add(kPredicate[which], sentence + kSays[which], proof);
}

}  // namespace

void check_graph(const Index& index, Findings& findings) {
  const auto clean = [&](Merge merge) { return Order(index, merge).graph().knots().empty(); };
  if (clean(Merge::configurations) && clean(Merge::all)) return;
  std::set<Place> told;  // what a cycle of fewer mergers runs through
  for (const Merge merge : {Merge::nothing, Merge::configurations, Merge::all}) {
    const Graph graph = Order(index, merge).graph();
    for (const std::vector<uint32_t>& knot : graph.knots()) {
      const std::vector<Edge> cycle = graph.cycle_in(knot);
      const bool known = std::any_of(cycle.begin(), cycle.end(),
                                     [&](const Edge& e) { return told.contains(e.before) || told.contains(e.after); });
      if (known) continue;
      tell(index, merge, cycle, findings);
      for (const Edge& edge : cycle) told.insert({edge.before, edge.after});
    }
  }
}

}  // namespace evs::verify
