// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/cluster.cc - see cluster.h.
#include "tests/sim/ring/cluster.h"

#include <algorithm>
#include <cstdio>

namespace evs::sim {
namespace {

using namespace ordering;

constexpr Duration kMs = kMillisecond;
constexpr Duration kSettle = 60'000 * kMs;  // longer than any quarantine
constexpr Duration kStep = 500 * kMs;
constexpr uint32_t kLastMessages = 3;       // of each, after the healing
constexpr double kLastLoss = 0.2;
constexpr Duration kCalmDelay = 200'000;

Settings settings_of(const Plan& plan, HostId id) {
  Settings settings;
  settings.self.id = id;
  settings.token_lost = 50 * kMs;
  settings.token_resend = 10 * kMs;
  settings.token_hold = 5 * kMs;
  settings.join_resend = 10 * kMs;
  settings.consensus = 60 * kMs;
  settings.merge_probe = 20 * kMs;
  settings.accelerated_frames = plan.accelerated;
  settings.store_frames = 1024;
  settings.queue_bytes = 256 << 10;
  settings.message_limit = 64 << 10;
  settings.cannot_receive_visits = 200;
  settings.exchange = plan.processes;
  return settings;
}

}  // namespace

Plan Plan::draw(uint64_t seed) {
  Prng prng(seed);
  Plan plan;
  plan.seed = seed;
  plan.hosts = static_cast<uint32_t>(prng.chance(0.02) ? prng.between(8, 16) : prng.between(2, 5));
  constexpr double kLosses[] = {0, 0, 0.01, 0.05, 0.2, 0.5};
  plan.loss = kLosses[prng.below(std::size(kLosses))];
  plan.picky_type = prng.chance(0.3) ? static_cast<int>(prng.between(1, 6)) : 0;
  plan.repeat = prng.chance(0.3) ? 0.1 : 0;
  plan.straggle = prng.chance(0.3) ? 0.02 : 0;
  plan.partitions = prng.chance(0.8);
  plan.one_way = prng.chance(0.3);
  plan.crashes = prng.chance(0.6);
  plan.pauses = prng.chance(0.3);
  plan.holes = prng.chance(0.1);
  plan.large = prng.chance(0.2);
  plan.accelerated = prng.chance(0.3) ? 0 : 20;
  plan.delay_most = prng.chance(0.2) ? prng.between(1, 15) * kMs : prng.between(50, 500) * 1000;
  plan.chaos = prng.between(200, 3000) * kMs;
  plan.message_every = prng.between(200'000, 20'000'000);
  return plan;
}

void Plan::make_processes() {
  Prng prng(seed ^ 0xbe11);
  processes = true;
  change_every = prng.chance(0.2) ? prng.between(200'000, 2'000'000) : prng.between(2, 60) * kMs;
}

void Plan::make_late() {
  straggle = 0.2;
  delay_most = 10 * kMs;
  partitions = true;
}

std::string Plan::text() const {
  char line[256];
  snprintf(line, sizeof line, "seed %llu: %u hosts, loss %.2f (type %d more), repeat %.1f, late %.2f,%s%s%s%s%s%s accelerated %u, delays up to %.1f ms, %.1f s, a message every %.1f ms",
           static_cast<unsigned long long>(seed), hosts, loss, picky_type, repeat, straggle, partitions ? " partitions" : "", one_way ? " one-way" : "",
           crashes ? " crashes" : "", pauses ? " pauses" : "", holes ? " holes" : "", large ? " large" : "", accelerated,
           static_cast<double>(delay_most) / 1e6, static_cast<double>(chaos) / 1e9, static_cast<double>(message_every) / 1e6);
  if (processes) return line + std::string(", a change of processes every ") + std::to_string(change_every / 1000) + " us";
  return line;
}

Cluster::Cluster(const Plan& plan, bool tell) : plan_(plan), tell_(tell), prng_(plan.seed ^ 0x5eed), network_(plan.hosts, prng_) {
  for (HostId id = 1; id <= plan.hosts; ++id) nodes_.emplace_back(settings_of(plan, id), network_, run_);
  network_.faults.loss.fill(plan.loss);
  if (plan.picky_type != 0) network_.faults.loss[static_cast<size_t>(plan.picky_type)] = std::min(0.6, plan.loss * 2 + 0.2);
  network_.faults.repeat = plan.repeat;
  network_.faults.straggle = plan.straggle;
  network_.faults.delay_most = plan.delay_most;
  network_.faults.black_hole_bytes = 600;
}

void Cluster::say(const std::string& what) const {
  if (tell_) printf("%10.3f ms  %s\n", static_cast<double>(now_.ns) / 1e6, what.c_str());
}

void Cluster::fault() {
  ++outcome_.faults;
  const auto any = [&] { return static_cast<HostId>(prng_.between(1, plan_.hosts)); };
  Node& node = nodes_[any() - 1];
  const auto what = [&](const std::string& text) { say("host " + std::to_string(node.id()) + " " + text); };
  switch (prng_.below(8)) {
    case 0:
    case 1:
      if (!plan_.partitions) break;
      {
        std::vector<uint32_t> side(plan_.hosts + 1);
        std::string sides;
        for (HostId h = 1; h <= plan_.hosts; ++h) sides += std::to_string(side[h] = static_cast<uint32_t>(prng_.below(2)));
        for (HostId a = 1; a <= plan_.hosts; ++a)
          for (HostId b = 1; b <= plan_.hosts; ++b) network_.set_cut(a, b, side[a] != side[b]);
        say("partition " + sides);
      }
      break;
    case 2:
      for (HostId a = 1; a <= plan_.hosts; ++a)
        for (HostId b = 1; b <= plan_.hosts; ++b) network_.set_cut(a, b, false);
      say("links heal");
      break;
    case 3:
      if (!plan_.one_way) break;
      {
        const HostId a = any(), b = any();
        network_.set_cut(a, b, true);
        say("nothing goes from " + std::to_string(a) + " to " + std::to_string(b));
      }
      break;
    case 4:
      if (!plan_.crashes || !node.alive()) break;
      if (prng_.chance(0.2)) {
        what("leaves");
        node.leave(now_);
      } else {
        what("crashes");
        node.crash(now_);
      }
      break;
    case 5:
      if (node.alive()) break;
      what("starts again");
      node.start(now_);
      break;
    case 6:
      if (!plan_.pauses || !node.alive()) break;
      if (node.paused()) {
        what("goes on");
        node.resume(now_);
      } else {
        what("is paused");
        node.pause();
      }
      break;
    case 7:
      if (plan_.holes) network_.set_hole(any(), any(), prng_.chance(0.5));
      break;
  }
}

void Cluster::some_message() {
  Node& node = nodes_[prng_.below(plan_.hosts)];
  if (!node.alive() || node.paused()) return;
  const auto service = static_cast<Service>(prng_.below(4));
  const size_t bytes = plan_.large && prng_.chance(0.1) ? prng_.between(1000, 20000) : prng_.below(200);
  outcome_.submitted += node.submit(now_, service, bytes, prng_);
}

void Cluster::some_change() {
  Node& node = nodes_[prng_.below(plan_.hosts)];
  if (!node.alive() || node.paused()) return;
  outcome_.changes += node.change(now_, prng_);
}

void Cluster::run_until(Instant until, bool chaos) {
  for (;;) {
    Instant at = network_.next();
    Node* due = nullptr;
    for (Node& node : nodes_)
      if (node.next_deadline() < at) {
        at = node.next_deadline();
        due = &node;
      }
    const Instant next_chaos = chaos ? std::min({next_fault_, next_message_, next_change_}) : kNever;
    if (std::min(at, next_chaos) > until) break;
    if (next_chaos < at) {
      now_ = std::max(now_, next_chaos);
      if (next_change_ == next_chaos) {
        some_change();
        next_change_ = now_ + prng_.between(1, 2 * plan_.change_every);
      } else if (next_message_ <= next_fault_) {
        some_message();
        next_message_ = now_ + prng_.between(1, 2 * plan_.message_every);
      } else {
        fault();
        next_fault_ = now_ + prng_.between(1, 100) * kMs;
      }
      continue;
    }
    now_ = std::max(now_, at);
    if (due != nullptr) {
      due->on_deadline(now_);
      continue;
    }
    const Packet packet = network_.pop();
    nodes_[packet.to - 1].receive(now_, packet);
  }
  now_ = until;
}

bool Cluster::at_rest() const {
  const Node* first = nullptr;
  size_t living = 0;
  for (const Node& node : nodes_) {
    if (!node.alive()) continue;
    ++living;
    if (first == nullptr) first = &node;
    if (!node.protocol().is_operational() || node.protocol().ring() != first->protocol().ring()) return false;
    if (plan_.processes && !node.residents()->level().exchanged()) return false;
  }
  return first == nullptr || first->protocol().members().size() == living;
}

Outcome Cluster::run() {
  for (Node& node : nodes_) node.start(now_);
  next_fault_ = now_ + 20 * kMs;
  next_message_ = now_ + kMs;
  if (plan_.processes) next_change_ = now_ + kMs;
  run_until(now_ + plan_.chaos, true);

  network_.heal();
  network_.faults.delay_most = kCalmDelay;
  say("everything heals");
  for (Node& node : nodes_) {
    if (node.paused()) node.resume(now_);
    if (!node.alive() && prng_.chance(0.5)) node.start(now_);
  }
  const Instant patience = now_ + kSettle;
  while (!at_rest() && now_ < patience) run_until(now_ + kStep, false);
  if (!at_rest()) {
    outcome_.unfinished = "the living did not find together:";
    for (const Node& node : nodes_)
      if (node.alive())
        outcome_.unfinished += " " + std::to_string(node.id()) + " " + node.protocol().phase_name() + " with " +
                               std::to_string(node.protocol().members().size()) + node.protocol().drops_text();
  }
  // The last messages lose some of their frames once more: nothing comes behind them that would show what is missing.
  network_.faults.loss[static_cast<size_t>(PacketType::data)] = std::min(plan_.loss, kLastLoss);
  network_.faults.delay_most = kCalmDelay;
  for (uint32_t i = 0; i < kLastMessages; ++i)
    for (Node& node : nodes_)
      if (node.alive()) outcome_.submitted += node.submit(now_, static_cast<Service>(prng_.below(4)), prng_.below(300), prng_);
  run_until(now_ + kStep, false);
  network_.heal();
  run_until(now_ + 4 * kStep, false);

  std::vector<uint32_t> living;
  for (Node& node : nodes_) {
    outcome_.delivered += node.delivered();
    if (!node.alive()) continue;
    if (plan_.processes) node.residents()->add_living(living);
    else living.push_back(node.id());
    for (size_t why = 0; why < outcome_.reasons.size(); ++why) outcome_.reasons[why] += node.protocol().entered_gather(static_cast<Why>(why));
    node.end(now_);
  }
  for (const verify::Trace& trace : run_.traces) outcome_.configurations += trace.configurations.size();
  outcome_.packets = network_.counts().carried;
  outcome_.violations = verify::check(run_, {.quiescent = outcome_.unfinished.empty()});
  if (outcome_.unfinished.empty()) {
    const auto more = verify::check_liveness(run_, {living});
    outcome_.violations.insert(outcome_.violations.end(), more.begin(), more.end());
  }
  return outcome_;
}

}  // namespace evs::sim
