// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/nuisance.cc - L3: one host that flaps, hears nothing, is not heard, or cannot deliver, from the beginning of a run to its end.
//
// The others cannot know that it will never be of use; each attempt with it costs them a gathering. Quarantine makes these ever rarer for who is deaf
// or mute. Who comes back with another nonce each time is a newcomer each time, so a flapping host costs much (docs/protocol.md), but what is
// asked holds for it, too: no stretch without a delivery is longer than a few gatherings, and all that the others say is delivered by all of them.
#include <algorithm>
#include <cstdio>

#include "tests/sim/ring/cluster.h"
#include "tests/sim/ring/live.h"

namespace evs::sim {
namespace {

constexpr uint32_t kHosts = 4;
constexpr Duration kRun = 60'000 * kMs;
constexpr Duration kMessageEvery = 5 * kMs;
// A token is missed, two consensus timeouts pass (the nuisance's, and that of who believed it).
constexpr Duration kGathering = (50 + 2 * 60) * kMs;
// Deaf and mute: one more while the first goes on. Who flaps may be gone again in each of several.
// Who cannot deliver may hold the others up for as long as it is allowed to, and then leaves.
Duration worst_stretch(const std::string& kind) { return kind == "stopped" ? 100 * kMs + kGathering : (kind == "flaps" ? 6 : 2) * kGathering; }
constexpr Duration kStopped = 600 * kMs;
constexpr uint32_t kHurry = 9;  // messages at a time, so that windows fill
constexpr uint32_t kStopEvery = 300;  // times: 1.5 s

// The lowest: it would be everybody's representative. And one in the middle, and the highest.
constexpr HostId kWho[] = {1, 3, 4};

struct Measured {
  Duration worst = 0, silent = 0;  // the longest stretch without a delivery; all that were longer than a token takes to be missed
  bool all_arrived = true;
  uint64_t messages = 0, configurations = 0;
};

class Nuisance {
 public:
  Nuisance(const std::string& kind, HostId who) : kind_(kind), who_(who), cluster_(plan(), {}) {}

  Measured live() {
    cluster_.begin();
    if (kind_ == "deaf") one_way(0, who_);
    if (kind_ == "mute") one_way(who_, 0);
    if (kind_ == "half") cluster_.network().set_cut(who_, who_ % kHosts + 1, true);
    std::vector<Instant> last(kHosts + 1, cluster_.now());
    std::vector<uint64_t> seen(kHosts + 1, 0);
    const Instant end = cluster_.now() + kRun;
    for (uint32_t id = 1; cluster_.now() < end; ++id) {
      for (uint32_t i = 0; i < (kind_ == "stopped" ? kHurry : 1); ++i) say(id * kHurry + i);
      if (kind_ == "flaps") flap(id);
      if (kind_ == "stopped" && id % kStopEvery == 0) stop();
      cluster_.run_until(cluster_.now() + kMessageEvery);
      for (HostId host = 1; host <= kHosts; ++host) {
        if (host == who_) continue;
        const Duration silent = cluster_.now() - last[host];
        if (cluster_.node(host).delivered() == seen[host]) continue;
        seen[host] = cluster_.node(host).delivered();
        last[host] = cluster_.now();
        measured_.worst = std::max(measured_.worst, silent);
        if (silent > 50 * kMs) measured_.silent += silent;
      }
    }
    for (HostId host = 1; host <= kHosts; ++host)
      if (host != who_) measured_.worst = std::max(measured_.worst, cluster_.now() - last[host]);
    finish();
    return measured_;
  }

 private:
  // With small windows it is soon felt that one does not deliver.
  Plan plan() const {
    Plan plan = Plan::calm(1, kHosts);
    plan.tight = kind_ == "stopped";
    return plan;
  }
  void one_way(HostId from, HostId to) {
    for (HostId host = 1; host <= kHosts; ++host) cluster_.network().set_cut(from == 0 ? host : from, to == 0 ? host : to, true);
  }

  void say(uint32_t id) {
    Event event;
    event.act = Act::send;
    event.id = id;
    event.a = 1 + id % kHosts;
    event.b = id / kHosts % 4;
    event.n = 64;
    if (event.a != who_) cluster_.apply(event);
  }

  // Up and down, at other moments of the others' coping each time.
  void flap(uint32_t id) {
    Event event;
    event.a = who_;
    const bool alive = cluster_.node(who_).alive();
    event.act = alive ? Act::crash : Act::start;
    if (Dice(id).one_in(alive ? 12 : 3)) cluster_.apply(event);
  }

  void stop() {
    Event event;
    event.act = Act::stop_reading;
    event.a = who_;
    event.b = 1;
    event.n = kStopped;
    cluster_.apply(event);
  }

  // It is gone: what the others have said each of them must have by now, and the traces must be good.
  void finish() {
    Event event;
    event.act = Act::crash;
    event.a = who_;
    cluster_.apply(event);
    cluster_.run_until(cluster_.now() + 2000 * kMs);
    Outcome outcome = cluster_.judge(true);
    for (const auto& violation : outcome.violations) printf("%s", verify::to_text(violation).c_str());
    measured_.all_arrived = outcome.good() && cluster_.at_rest();
    measured_.messages = outcome.counts["run.messages"];
    measured_.configurations = outcome.counts["run.configurations"];
  }

  const std::string kind_;
  const HostId who_;
  Cluster cluster_;
  Measured measured_;
};

}  // namespace

bool live_with(const std::string& kind) {
  if (kind != "flaps" && kind != "deaf" && kind != "mute" && kind != "half" && kind != "stopped") {
    printf("no nuisance %s\n", kind.c_str());
    return false;
  }
  bool good = true;
  for (const HostId who : kWho) {
    const Measured m = Nuisance(kind, who).live();
    printf("host %u of %u %s for %.0f s: the others' longest stretch without a delivery %.0f ms (at most %.0f), %.1f %% of the time in such; %llu messages %s\n",
           who, kHosts, kind.c_str(), static_cast<double>(kRun) / 1e9, static_cast<double>(m.worst) / 1e6, static_cast<double>(worst_stretch(kind)) / 1e6,
           100.0 * static_cast<double>(m.silent) / static_cast<double>(kRun) / (kHosts - 1), static_cast<unsigned long long>(m.messages),
           m.all_arrived ? "delivered by all" : "NOT delivered by all");
    good = good && m.all_arrived && m.worst <= worst_stretch(kind);
  }
  return good;
}

}  // namespace evs::sim
