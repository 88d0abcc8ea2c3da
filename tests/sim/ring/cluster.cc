// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/cluster.cc - see cluster.h; what an event does is in events.cc.
#include "tests/sim/ring/cluster.h"

#include <algorithm>

namespace evs::sim {
namespace {

using namespace ordering;

constexpr Duration kSettle = 60'000 * kMs;  // longer than any quarantine
constexpr Duration kStep = 500 * kMs;
constexpr double kLastLoss = 0.2;
constexpr Duration kCalmDelay = 200'000;
constexpr std::byte kOtherKey{0x5a};
constexpr Duration kLater = 5 * kMs;
constexpr uint64_t kMostPackets = 5'000'000;  // of a run: more is a storm

}  // namespace

Cluster::Cluster(const Plan& plan, Script script, Story* story)
    : plan_(plan), script_(std::move(script)), story_(story), network_(plan.seed, plan.hosts, plan.machines()), phases_(plan.machines() + 1) {
  for (Machine m = 1; m <= plan.machines(); ++m) nodes_.emplace_back(plan_, m, network_, run_, ballots_);
  sprung_.at = kNever;
  network_.faults.loss.fill(plan.loss);
  if (plan.picky_type != 0) network_.faults.loss[static_cast<size_t>(plan.picky_type)] = std::min(0.6, plan.loss * 2 + 0.2);
  network_.faults.repeat = plan.repeat;
  network_.faults.straggle = plan.straggle;
  network_.faults.delay_most = plan.delay_most;
  network_.faults.black_hole_bytes = 600;
  if (plan.stranger != 0) network_.set_key(plan.stranger, kOtherKey);
  for (size_t act = 0; act < static_cast<size_t>(Act::count_); ++act) outcome_.counts[std::string("fault.") + name_of(static_cast<Act>(act))] = 0;
}

void Cluster::say(const std::string& what) {
  if (story_ != nullptr) story_->say(now_, what);
}

void Cluster::begin() {
  for (HostId id = 1; id <= plan_.hosts; ++id) {
    node(id).start(now_);
    after(node(id));
  }
}

void Cluster::run_until(Instant until) {
  for (;;) {
    const Instant packet_at = network_.next();
    Instant at = packet_at;
    Node* due = nullptr;
    for (Node& each : nodes_)
      if (const Instant wake = each.next_wake(); wake < at) {
        at = wake;
        due = &each;
      }
    const bool chaos = next_event_ < script_.size() && script_[next_event_].stage == Stage::chaos;
    const Instant event_at = std::min(chaos ? script_[next_event_].at : kNever, sprung_.at);
    if (is_storm() || std::min(at, event_at) > until || (at == kNever && event_at == kNever)) break;
    now_ = std::max(now_, std::min(at, event_at));
    if (event_at <= at && event_at == sprung_.at) {
      spring();
    } else if (event_at <= at) {
      apply(script_[next_event_++]);
    } else if (due != nullptr) {
      due->wake(now_);
      after(*due);
    } else {
      Packet packet = network_.pop();
      Node& to = nodes_[packet.to - 1];
      to.receive(now_, std::move(packet));
      after(to);
    }
  }
  now_ = std::max(now_, until);
}

// Whoever entered another phase is told of, and may have been waited for.
void Cluster::after(Node& node) {
  const std::string phase = node.up() ? node.protocol().phase_name() : node.alive() ? "no gateway" : "dead";
  std::string& seen = phases_[node.machine()];
  if (phase == seen) return;
  seen = phase;
  say("host " + std::to_string(node.machine()) + " is in " + phase);
  constexpr const char* kPhases[] = {"closed", "gather", "commit", "recovery", "operational"};
  if (ambushes_.empty() || ambushes_.front().a != node.machine() || phase != kPhases[ambushes_.front().b]) return;
  sprung_ = ambushes_.front();
  ambushes_.pop_front();
  // At once, or a little later, when the phase is about to end.
  sprung_.at = now_ + (sprung_.n % 2 == 0 ? 0 : test::mix(sprung_.n) % kLater);
}

void Cluster::spring() {
  network_.partition(sprung_.n);
  sprung_.at = kNever;
  ++outcome_.counts["fault.ambush"];
  say("host " + std::to_string(sprung_.a) + " is waylaid: partition");
}

std::vector<uint32_t> Cluster::living(bool strangers) const {
  std::vector<uint32_t> machines;
  for (const Node& node : nodes_)
    if (node.alive() && (node.machine() == plan_.stranger) == strangers) machines.push_back(node.machine());
  return machines;
}

// Those whom the traces are of.
std::vector<uint32_t> Cluster::judged(bool strangers) const {
  if (!plan_.processes) return living(strangers);
  std::vector<uint32_t> processes;
  for (const uint32_t machine : living(strangers)) nodes_[machine - 1].residents()->add_living(processes);
  return processes;
}

bool Cluster::is_storm() const { return network_.counts().carried > kMostPackets; }

bool Cluster::at_rest() const {
  if (is_storm()) return false;
  for (const bool strangers : {false, true}) {
    const std::vector<uint32_t> group = living(strangers);
    for (const uint32_t machine : group) {
      if (!nodes_[machine - 1].up() || !nodes_[group.front() - 1].up()) return false;
      const Protocol& protocol = nodes_[machine - 1].protocol();
      if (!protocol.is_operational() || protocol.ring() != nodes_[group.front() - 1].protocol().ring() || protocol.members().size() != group.size())
        return false;
      if (plan_.processes && !nodes_[machine - 1].residents()->level().exchanged()) return false;
    }
  }
  return true;
}

std::string Cluster::who_is_where() const {
  std::string text;
  for (const Node& node : nodes_)
    if (node.up())
      text.append(" ").append(std::to_string(node.machine())).append(" ").append(node.protocol().phase_name()).append(" with ")
          .append(std::to_string(node.protocol().members().size())).append(node.protocol().drops_text());
  return text;
}

void Cluster::do_stage(Stage stage) {
  for (const Event& event : script_)
    if (event.stage == stage) apply(event);
}

void Cluster::heal() {
  ambushes_.clear();
  sprung_.at = kNever;
  network_.heal();
  network_.faults.delay_most = kCalmDelay;
  say("everything heals");
  for (Node& node : nodes_) {
    node.resume();
    node.read_again(now_);
    node.spare_gateway();
    node.hurry();
    if (node.machine() > plan_.hosts && node.alive()) node.crash(now_);  // somebody has noticed the second machine
    after(node);
  }
  do_stage(Stage::healing);
}

void Cluster::settle() {
  const Instant patience = now_ + kSettle;
  while (!at_rest() && now_ < patience) run_until(now_ + kStep);
  if (!at_rest()) outcome_.unfinished = (is_storm() ? "a storm of packets:" : "the living did not find together:") + who_is_where();
}

// They lose some of their frames once more: nothing comes behind them that would show what is missing.
void Cluster::last_messages() {
  say("the last messages");
  network_.faults.loss[static_cast<size_t>(PacketType::data)] = std::min(plan_.loss, kLastLoss);
  do_stage(Stage::rest);
  run_until(now_ + kStep);
  network_.heal();
  run_until(now_ + 4 * kStep);
}

// Who has another key and others share the air with it: each must have refused what it could not read.
void Cluster::look_at_strangers() {
  const std::vector<uint32_t> strangers = living(true);
  if (strangers.empty() || living(false).empty()) return;
  for (const Node& node : nodes_)
    if (node.up() && node.protocol().dropped(Drop::malformed) == 0)
      outcome_.unfinished = "host " + std::to_string(node.machine()) + " shares the air with another key and counts nothing that it could not read";
}

// All hosts are together, and none has lost its disk: whatever was interrupted before is settled now.
void Cluster::look_at_primary() {
  if (plan_.quorum.rule == Quorum::Rule::off || ballots_.disks_lost || !outcome_.unfinished.empty() || living(false).size() != plan_.hosts) return;
  for (const Node& node : nodes_)
    if (const ProcessLevel& level = node.residents()->level(); level.epoch() == 0)
      outcome_.unfinished = "all hosts are together and host " + std::to_string(node.machine()) + " is in no primary ring: " + text_of(level.verdict());
}

void Cluster::close_books() {
  Counts& counts = outcome_.counts;
  for (Node& node : nodes_) {
    if (node.up()) count(counts, node.protocol());
    add(counts, node.counts());
    if (node.overran() != 0)
      outcome_.unfinished = "host " + std::to_string(node.machine()) + " delivered " + std::to_string(node.overran()) + " messages that its log had no room for";
    counts["run.deliveries"] += node.delivered();
    counts["net.overflowed"] += node.overflowed();
    node.end(now_);
#ifndef EVS_ORDERING_MUTANTS
    if (node.residents() != nullptr && !node.residents()->refusals().empty())
      outcome_.unfinished = "host " + std::to_string(node.machine()) + " refused records of hosts that keep the protocol: " + node.residents()->refusals();
#endif
  }
  for (const verify::Trace& trace : run_.traces) {
    counts["run.configurations"] += trace.configurations.size();
    counts["run.events judged"] += trace.events.size();
  }
  const Network::Counts& net = network_.counts();
  for (const auto& [name, n] : {std::pair{"carried", net.carried}, {"lost", net.lost}, {"repeated", net.repeated}, {"late", net.late}, {"cut", net.cut},
                               {"swallowed", net.swallowed}, {"garbled", net.garbled}})
    counts[std::string("net.") + name] = n;
  counts["run.runs"] = 1;
  counts["run.virtual ms"] = now_.ns / kMs;
}

Outcome Cluster::judge(bool quiescent) {
  close_books();
  outcome_.violations = verify::check(run_, {.quiescent = quiescent});
  const auto ballots = verify::check(ballots_.run);
  outcome_.violations.insert(outcome_.violations.end(), ballots.begin(), ballots.end());
  if (quiescent) {
    const auto more = verify::check_liveness(run_, {judged(false), judged(true)});
    outcome_.violations.insert(outcome_.violations.end(), more.begin(), more.end());
  }
  // Who forgot what it had stored may count its rings from 1 again (docs/protocol.md); nothing else may suffer.
  std::erase_if(outcome_.violations, [this](const verify::Violation& violation) {
    return !plan_.processes && violation.predicate == "W5" && nodes_[run_.traces[violation.evidence.front().trace].process.nodeid - 1].forgot();
  });
  return outcome_;
}

Outcome Cluster::run() {
  begin();
  run_until(now_ + plan_.chaos);
  heal();
  settle();
  last_messages();
  look_at_strangers();
  look_at_primary();
  return judge(outcome_.unfinished.empty());
}

}  // namespace evs::sim
