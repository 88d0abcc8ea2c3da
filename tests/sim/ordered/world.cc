// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/world.cc - see world.h.
#include "tests/sim/ordered/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace evs::sim {
namespace {

using namespace ordering;

constexpr Duration kMs = kMillisecond;
constexpr Duration kSettle = 30'000 * kMs;  // a backlog of changes: each costs a round of acknowledgements, and what it overtook is said again
constexpr Duration kStep = 50 * kMs;
constexpr uint32_t kLastMessages = 3;  // of each, at the end
constexpr uint32_t kSides = 2;
constexpr uint32_t kOwnFrames = 16;

Settings settings_of(const OrderedPlan& plan, HostId id) {
  Settings settings;
  settings.self.id = id;
  settings.frame_bytes = 600;
  settings.message_limit = 8 << 10;
  settings.queue_bytes = 32 << 10;
  settings.own_frames = kOwnFrames;
  settings.medium_tells_stability = plan.tells;
  if (const std::string why = check(settings); !why.empty()) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::abort();
  }
  return settings;
}

}  // namespace

OrderedPlan OrderedPlan::draw(uint64_t seed) {
  test::Dice prng(seed);
  OrderedPlan plan;
  plan.seed = seed;
  plan.hosts = static_cast<uint32_t>(prng.chance(0.03) ? prng.between(7, 12) : prng.between(2, 5));
  plan.tells = prng.chance(0.4);
  plan.partitions = prng.chance(0.8);
  plan.crashes = prng.chance(0.6);
  plan.large = prng.chance(0.3);
  plan.slow = prng.chance(0.4);
  plan.falls_apart = prng.chance(0.5) ? 0.4 : 0.05;
  plan.safe = prng.chance(0.5) ? 0.6 : 0.25;
  plan.change = prng.chance(0.5) ? 0.1 : 0.01;
  plan.chaos = prng.between(50, 300) * kMs;
  plan.message_every = prng.between(50'000, 2'000'000);
  plan.fault_every = prng.between(1, 30) * kMs;
  plan.reform_most = prng.between(100'000, 10 * kMs);
  return plan;
}

std::string OrderedPlan::text() const {
  char line[240];
  snprintf(line, sizeof line, "seed %llu: %u hosts,%s%s%s%s%s falls apart %.2f, safe %.2f, changes %.2f, %.0f ms, a message every %.2f ms, a fault every %.0f ms",
           static_cast<unsigned long long>(seed), hosts, tells ? " told stability" : " acknowledgements", partitions ? ", partitions" : "",
           crashes ? ", crashes" : "", large ? ", large" : "", slow ? ", slow" : "", falls_apart, safe, change, static_cast<double>(chaos) / 1e6,
           static_cast<double>(message_every) / 1e6, static_cast<double>(fault_every) / 1e6);
  return line;
}

OrderedWorld::OrderedWorld(const OrderedPlan& plan, bool tell)
    : plan_(plan), tell_(tell), prng_(plan.seed ^ 0x0de4ed), medium_(plan.hosts, plan.tells, prng_) {
  for (HostId id = 1; id <= plan.hosts; ++id) nodes_.emplace_back(settings_of(plan, id), medium_, chronicle_);
}

void OrderedWorld::say(const std::string& what) const {
  if (tell_) printf("%10.3f ms  %s\n", static_cast<double>(now_.ns) / 1e6, what.c_str());
}

void OrderedWorld::fault() {
  ++outcome_.faults;
  OrderedNode& node = nodes_[prng_.below(plan_.hosts)];
  const std::string who = "host " + std::to_string(node.id());
  switch (prng_.below(6)) {
    case 0: {
      if (!plan_.partitions) break;
      std::string sides;
      for (HostId h = 1; h <= plan_.hosts; ++h) {
        const auto side = static_cast<uint32_t>(prng_.below(kSides));
        medium_.set_side(h, side);
        sides += std::to_string(side);
      }
      say("partition " + sides);
      break;
    }
    case 1:
      for (HostId h = 1; h <= plan_.hosts; ++h) medium_.set_side(h, 0);
      say("all on one side");
      break;
    case 2:
      if (!plan_.crashes || !node.alive()) break;
      say(who + " crashes");
      node.crash(now_);
      break;
    case 3:
      if (node.alive()) break;
      say(who + " starts again");
      node.start(now_);
      break;
    case 4:
      if (plan_.slow) medium_.set_pace(node.id(), {prng_.between(1, 50) * 100'000, prng_.between(1, 50) * 100'000});
      break;
    case 5:
      break;  // nothing but another membership, perhaps
  }
  next_reform_ = std::min(next_reform_, now_ + prng_.between(10'000, plan_.reform_most));
}

void OrderedWorld::some_message() {
  OrderedNode& node = nodes_[prng_.below(plan_.hosts)];
  if (!node.alive()) return;
  const auto service = prng_.chance(plan_.safe) ? Service::safe : static_cast<Service>(prng_.below(3));
  const bool change = prng_.chance(plan_.change);
  const size_t bytes = plan_.large && prng_.chance(0.2) ? prng_.between(500, 6000) : prng_.below(150);
  outcome_.submitted += node.submit(now_, service, change, bytes, prng_);
  if (medium_.under_way(node.id()) > 2 * kOwnFrames) outcome_.unfinished = "more frames under way than a host may have";
}

void OrderedWorld::run_until(Instant until, bool chaos) {
  Heard heard;
  for (;;) {
    Instant at = medium_.next();
    OrderedNode* due = nullptr;
    for (OrderedNode& node : nodes_)
      if (node.next_deadline() < at) {
        at = node.next_deadline();
        due = &node;
      }
    const Instant ours = chaos ? std::min({next_fault_, next_message_, next_reform_}) : next_reform_;
    if (std::min(at, ours) > until) break;
    now_ = std::max(now_, std::min(at, ours));
    if (at <= ours) {
      if (due != nullptr) {
        due->on_deadline(now_);
      } else if (const HostId host = medium_.step(now_, heard)) {
        nodes_[host - 1].hear(now_, heard);
      }
    } else if (next_reform_ == ours) {
      next_reform_ = kNever;
      bool again = false;
      for (uint32_t side = 0; side < kSides; ++side) {
        const bool falls_apart = chaos && prng_.chance(plan_.falls_apart);
        if (!chaos || prng_.chance(0.8)) {
          medium_.reform(now_, side, falls_apart);
        } else {
          again = true;
        }
        again |= falls_apart;
      }
      if (again) next_reform_ = now_ + prng_.between(10'000, plan_.reform_most);
    } else if (next_message_ == ours) {
      some_message();
      next_message_ = now_ + prng_.between(1, 2 * plan_.message_every);
    } else {
      fault();
      next_fault_ = now_ + prng_.between(1, 2 * plan_.fault_every);
    }
  }
  now_ = until;
}

bool OrderedWorld::at_rest() const {
  const OrderedNode* first = nullptr;
  size_t living = 0;
  for (const OrderedNode& node : nodes_) {
    if (!node.alive()) continue;
    ++living;
    if (first == nullptr) first = &node;
    if (!node.path().is_operational() || node.path().ring() != first->path().ring() || node.next_deadline() != kNever) return false;
  }
  return medium_.quiet() && (first == nullptr || first->path().members().size() == living);
}

void OrderedWorld::settle() {
  const Instant patience = now_ + kSettle;
  do {
    run_until(now_ + kStep, false);
  } while (!at_rest() && now_ < patience);
  if (at_rest() || !outcome_.unfinished.empty()) return;
  outcome_.unfinished = "the living did not find together:";
  for (const OrderedNode& node : nodes_)
    if (node.alive())
      outcome_.unfinished += " " + std::to_string(node.id()) + (node.path().is_operational() ? "" : " exchanging") + " with " +
                             std::to_string(node.path().members().size());
}

OrderedOutcome OrderedWorld::run() {
  for (OrderedNode& node : nodes_) node.start(now_);
  next_reform_ = now_ + kMs;
  next_fault_ = now_ + 5 * kMs;
  next_message_ = now_ + kMs;
  run_until(now_ + plan_.chaos, true);

  say("everything heals");
  for (OrderedNode& node : nodes_) {
    medium_.set_side(node.id(), 0);
    medium_.set_pace(node.id(), {});
    if (!node.alive() && prng_.chance(0.5)) node.start(now_);
  }
  next_reform_ = now_ + kMs;
  settle();
  for (uint32_t i = 0; i < kLastMessages; ++i)
    for (OrderedNode& node : nodes_)
      if (node.alive()) outcome_.submitted += node.submit(now_, static_cast<Service>(prng_.below(4)), i == 1, prng_.below(300), prng_);
  settle();
  judge();
  return outcome_;
}

void OrderedWorld::judge() {
  std::vector<uint32_t> living;
  for (OrderedNode& node : nodes_) {
    outcome_.delivered += node.delivered();
    outcome_.acknowledgements += node.acknowledgements();
    if (!node.alive()) continue;
    living.push_back(node.id());
    node.end(now_);
  }
  for (const verify::Trace& trace : chronicle_.run.traces) outcome_.configurations += trace.configurations.size();
  outcome_.ordered = medium_.ordered();
  write_for_the_killed(chronicle_);
  const verify::Run processes = process_view(chronicle_);
  const bool at_rest = outcome_.unfinished.empty();
  outcome_.hosts = verify::check(chronicle_.run, {.quiescent = at_rest});
  outcome_.processes = verify::check(processes, {.quiescent = at_rest});
  if (!at_rest) return;
  for (auto& more : verify::check_liveness(chronicle_.run, {living})) outcome_.hosts.push_back(std::move(more));
  for (auto& more : verify::check_liveness(processes, {living})) outcome_.processes.push_back(std::move(more));
}

}  // namespace evs::sim
