// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/views.cc - a run's traces, completed, and seen from the processes (node.h).
#include <algorithm>
#include <utility>

#include "tests/sim/ordered/node.h"

namespace evs::sim {
namespace {

using verify::Event;
using verify::Kind;
using verify::Token;
using verify::Trace;

using Place = std::pair<Token, uint64_t>;  // ring, place in it

const verify::Configuration* last_configuration(const Trace& trace) {
  return trace.configurations.empty() ? nullptr : &trace.configurations.back();
}

Event sending_of(const Event& delivery) {
  Event send = delivery;
  send.kind = Kind::send;
  send.conf = {};
  send.sender = {};
  return send;
}

class ProcessView {
 public:
  explicit ProcessView(const Chronicle& chronicle) : chronicle_(chronicle) {
    for (const Trace& trace : chronicle.run.traces)
      for (const Event& event : trace.events)
        if (is_change(event)) changes_[event.ring].insert(event.seq);
  }

  verify::Run make() {
    for (const Trace& trace : chronicle_.run.traces) add(trace);
    return std::move(run_);
  }

 private:
  bool is_change(const Event& event) const {
    return (event.kind == Kind::deliver || event.kind == Kind::send) && chronicle_.changes.count(event.hash) != 0;
  }
  const std::string& text(Token host_token) const { return chronicle_.run.names.text(host_token); }
  Token regular(Token ring, size_t changes) { return run_.names.of(text(ring) + "/" + std::to_string(changes)); }
  Token stamp(const Event& event) {
    const auto of_ring = changes_.find(event.ring);
    size_t before = 0;
    if (of_ring != changes_.end()) before = std::distance(of_ring->second.begin(), of_ring->second.lower_bound(event.seq));
    return regular(event.ring, before);
  }

  void install(Trace& to, verify::Configuration told, int64_t at) {
    in_ = told.id;
    to.conf(std::move(told), at);
  }
  void install_regular(Trace& to, const verify::Configuration& host, size_t changes, int64_t at) {
    const Token id = regular(host.regular, changes);
    install(to, {id, false, id, host.ring_seq * 4096 + changes, host.members, {}, {}}, at);
  }
  void change(Trace& to, const verify::Configuration& host, size_t changes, int64_t at) {
    const Token from = regular(host.regular, changes);
    const Token id = run_.names.of(run_.names.text(from) + ">" + std::to_string(changes + 1));
    install(to, {id, true, from, 0, host.members, {}, {}}, at);
    install_regular(to, host, changes + 1, at);
  }

  void add(const Trace& from) {
    Trace& to = run_.boot(from.process, verify::Level::process);
    const verify::Configuration* host = nullptr;
    size_t changes = 0;
    for (const Event& event : from.events) {
      switch (event.kind) {
        case Kind::conf: {
          const verify::Configuration& next = from.configurations[event.configuration];
          if (next.transitional) {
            install(to, {run_.names.of(text(next.id) + "/" + std::to_string(changes)), true, regular(next.regular, changes), 0, next.members, {}, {}},
                    event.at);
          } else {
            changes = 0;
            install_regular(to, next, changes, event.at);
          }
          host = &next;
          break;
        }
        case Kind::deliver:
          to.deliver(in_, stamp(event), event.seq, event.service, event.sender, event.hash, event.at);
          if (is_change(event) && !host->transitional) change(to, *host, changes++, event.at);
          break;
        case Kind::send: to.send(stamp(event), event.seq, event.service, event.hash, event.submission, event.at); break;
        case Kind::submit: to.submit(event.submission, event.at); break;
        case Kind::fail: to.fail(event.at); break;
        case Kind::end: to.end(event.at); break;
        case Kind::prim: break;
      }
    }
  }

  const Chronicle& chronicle_;
  std::map<Token, std::set<uint64_t>> changes_;  // of each ring, their places
  verify::Run run_;
  Token in_;
};

}  // namespace

void write_for_the_killed(Chronicle& chronicle) {
  std::set<Place> sent;
  std::map<verify::Process, Trace*> traces;
  std::map<verify::Process, std::map<uint64_t, Event>> missing;  // by place
  for (Trace& trace : chronicle.run.traces) {
    traces[trace.process] = &trace;
    for (const Event& event : trace.events)
      if (event.kind == Kind::send) sent.insert({event.ring, event.seq});
  }
  for (const Trace& trace : chronicle.run.traces)
    for (const Event& event : trace.events) {
      if (event.kind != Kind::deliver || sent.count({event.ring, event.seq}) != 0) continue;
      const auto sender = traces.find(event.sender);
      if (sender == traces.end() || sender->second->events.back().kind != Kind::fail) continue;
      const verify::Configuration* in = last_configuration(*sender->second);
      if (in->transitional || in->id != event.ring || chronicle.unsent[event.sender].count(event.hash) == 0) continue;
      missing[event.sender].emplace(event.seq, sending_of(event));
    }
  for (const auto& [process, events] : missing) {
    Trace& trace = *traces[process];
    for (const auto& [seq, event] : events) trace.events.insert(trace.events.end() - 1, event);
  }
}

verify::Run process_view(const Chronicle& chronicle) { return ProcessView(chronicle).make(); }

}  // namespace evs::sim
