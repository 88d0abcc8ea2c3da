// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/events.cc - what an event of the script does (script.h). What makes no sense any more does nothing, and is not counted.
#include "tests/sim/ring/cluster.h"

namespace evs::sim {

void Cluster::submit(Node& node, const Event& event) {
  if (!node.alive() || node.paused(now_)) return;
  const bool burst = event.act == Act::burst;
  for (uint64_t i = 0; i < (burst ? event.n : 1); ++i) {
    const uint64_t content = test::mix(plan_.seed ^ uint64_t{event.id} << 32 ^ i);
    const size_t bytes = burst ? content % 1500 : event.n;
    outcome_.counts["run.messages"] += node.submit(now_, static_cast<ordering::Service>(event.b), bytes, content);
  }
  ++outcome_.counts[burst ? "fault.burst" : "fault.send"];
}

// The second machine has a seat of its own in the network, and the same id.
void Cluster::twin(const Event& event) {
  Node& second = nodes_[plan_.hosts + event.a - 1];
  if (second.alive()) second.crash(now_);
  else second.start(now_);
  after(second);
}

void Cluster::apply(const Event& event) {
  if (event.act == Act::send || event.act == Act::burst) {
    if (story_ != nullptr && event.a <= nodes_.size()) say(text_of(event));
    if (event.a <= nodes_.size()) submit(nodes_[event.a - 1], event);
    return;
  }
  if (event.a > plan_.hosts || (event.act != Act::ambush && event.act != Act::kill && event.act != Act::stop_reading && event.b > plan_.hosts)) return;  // a run that was shrunk
  Node* node = event.a == 0 ? nullptr : &nodes_[event.a - 1];
  const bool running = event.act == Act::start && node->alive();
  const bool gone = (event.act == Act::crash || event.act == Act::leave || event.act == Act::pause || event.act == Act::jump || event.act == Act::change || event.act == Act::kill ||
                     event.act == Act::stop_reading) && !node->alive();
  if (running || gone || (event.act == Act::change && node->paused(now_))) return;
  say(text_of(event));
  if (event.act != Act::ambush && event.act != Act::kill) ++outcome_.counts[std::string("fault.") + name_of(event.act)];  // those count when they happen
  switch (event.act) {
    case Act::partition: network_.partition(event.n); break;
    case Act::mend: network_.mend(); break;
    case Act::one_way: network_.set_cut(event.a, event.b, true); break;
    case Act::hole: network_.set_hole(event.a, event.b, true); break;
    case Act::fill: network_.set_hole(event.a, event.b, false); break;
    case Act::crash: node->crash(now_); break;
    case Act::leave: node->leave(now_); break;
    case Act::start: node->start(now_); break;
    case Act::forget:
      if (node->alive()) node->crash(now_);
      node->forget();
      node->start(now_);
      break;
    case Act::lose_disk:
      if (node->alive()) node->crash(now_);
      node->lose_disk();
      node->start(now_);
      break;
    case Act::pause: node->pause(now_ + event.n); break;
    case Act::jump: node->jump(event.n); break;
    case Act::twin: twin(event); break;
    case Act::ambush: ambushes_.push_back(event); break;
    case Act::change: node->change(now_, event.n); break;
    case Act::kill: node->kill_gateway(event.b, event.n); break;
    case Act::stop_reading: node->stop_reading(now_, now_ + event.n, event.b); break;
    case Act::send:
    case Act::burst:
    case Act::count_: break;
  }
  if (node != nullptr) after(*node);
}

}  // namespace evs::sim
