// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/script.cc - see script.h.
#include "tests/sim/ring/script.h"

#include <algorithm>

namespace evs::sim {
namespace {

constexpr Instant kFirstMessage{2 * kMs}, kFirstFault{21 * kMs};
constexpr uint32_t kLastMessages = 3;  // of each, when everything has healed
constexpr const char* kActs[] = {"partition", "mend", "one-way", "hole", "fill", "crash", "leave", "start", "forget", "pause", "jump", "twin",
                                 "ambush", "send", "burst", "change", "kill", "stop reading", "lose disk"};
static_assert(std::size(kActs) == static_cast<size_t>(Act::count_));
constexpr const char* kPhases[] = {"closed", "gather", "commit", "recovery", "operational"};
constexpr uint32_t kGather = 1, kRecovery = 3;

class Drawing {
 public:
  explicit Drawing(const Plan& plan) : plan_(plan), end_{kMs + plan.chaos} {}

  Script all() {
    messages(Dice(plan_.seed ^ 0x5eed));
    faults(Dice(plan_.seed ^ 0xfa017));
    if (plan_.twins) now_and_then(400, Act::twin, Dice(plan_.seed ^ 0x7124));
    if (plan_.forgetful) now_and_then(400, Act::forget, Dice(plan_.seed ^ 0xf0463));
    if (plan_.jumps) now_and_then(200, Act::jump, Dice(plan_.seed ^ 0xc10c));
    if (plan_.ambushes) ambushes(Dice(plan_.seed ^ 0xa3b5));
    if (plan_.processes) changes(Dice(plan_.seed ^ 0xc4a6e));
    if (plan_.gateway_kills) kills(Dice(plan_.seed ^ 0x6a7e));
    if (plan_.slow_readers) stops(Dice(plan_.seed ^ 0x510b));
    if (plan_.bursts) now_and_then(150, Act::burst, Dice(plan_.seed ^ 0xb125));
    if (plan_.disks_lost) now_and_then(500, Act::lose_disk, Dice(plan_.seed ^ 0xd15c));
    std::stable_sort(script_.begin(), script_.end(), [](const Event& x, const Event& y) { return x.at < y.at; });
    ending(Dice(plan_.seed ^ 0xe4d));
    for (size_t i = 0; i < script_.size(); ++i) script_[i].id = static_cast<uint32_t>(i);
    return std::move(script_);
  }

 private:
  void add(Instant at, Act act, HostId a = 0, uint32_t b = 0, uint64_t n = 0) { script_.push_back({Stage::chaos, act, at, 0, a, b, n}); }
  HostId any(Dice& dice) const { return static_cast<HostId>(dice.between(1, plan_.hosts)); }
  HostId any_machine(Dice& dice) const { return static_cast<HostId>(dice.between(1, plan_.machines())); }

  void messages(Dice dice) {
    for (Instant at = kFirstMessage; at < end_; at = at + dice.between(1, 2 * plan_.message_every)) {
      const HostId who = any_machine(dice);
      const auto service = static_cast<uint32_t>(dice.below(4));
      add(at, Act::send, who, service, plan_.large && dice.chance(0.1) ? dice.between(1000, 20000) : dice.below(200));
    }
  }

  void changes(Dice dice) {
    for (Instant at = kFirstMessage; at < end_; at = at + dice.between(1, 2 * plan_.change_every)) {
      const HostId who = any(dice);
      add(at, Act::change, who, 0, dice.next());
    }
  }

  // Mostly the next gateway is there soon; sometimes the others have gone on without it. Some die while they take over.
  void kills(Dice dice) {
    for (Instant at = kFirstFault; at < end_; at = at + dice.between(1, 200) * kMs) {
      const auto effects = static_cast<uint32_t>(dice.chance(0.5) ? dice.between(1, 12) : dice.between(1, 200));
      add(at, Act::kill, any(dice), effects, dice.chance(0.7) ? dice.below(5 * kMs) : dice.below(300 * kMs));
    }
  }

  // Some for longer than a host may hold the others up.
  void stops(Dice dice) {
    for (Instant at = kFirstFault; at < end_; at = at + dice.between(1, 400) * kMs)
      add(at, Act::stop_reading, any(dice), static_cast<uint32_t>(dice.below(8192)), dice.between(1, 400) * kMs);
  }

  void faults(Dice dice) {
    for (Instant at = kFirstFault; at < end_; at = at + dice.between(1, 100) * kMs) {
      const HostId a = any(dice), b = any(dice);
      const uint64_t n = dice.next();
      switch (dice.below(8)) {
        case 0:
        case 1:
          if (plan_.partitions) add(at, Act::partition, 0, 0, n);
          break;
        case 2: add(at, Act::mend); break;
        case 3:
          if (plan_.one_way && a != b) add(at, Act::one_way, a, b);
          break;
        case 4:
          if (plan_.crashes) add(at, n % 5 == 0 ? Act::leave : Act::crash, a);
          break;
        case 5: add(at, Act::start, a); break;
        case 6:
          if (plan_.pauses) add(at, Act::pause, a, 0, (5 + n % 400) * kMs);
          break;
        case 7:
          if (plan_.holes && a != b) add(at, n % 2 == 0 ? Act::hole : Act::fill, a, b);
          break;
      }
    }
  }

  void now_and_then(uint64_t about_ms, Act act, Dice dice) {
    for (Instant at = kFirstFault + dice.between(1, about_ms) * kMs; at < end_; at = at + dice.between(1, 2 * about_ms) * kMs) {
      const HostId a = any(dice);
      const auto service = static_cast<uint32_t>(dice.below(4));
      if (act == Act::jump) add(at, act, a, 0, dice.between(1, 500) * kMs);
      else if (act == Act::burst) add(at, act, a, service, dice.between(20, 300));
      else add(at, act, a);
    }
  }

  // Up to three that wait for each other: a partition while the one before is being coped with.
  void ambushes(Dice dice) {
    for (Instant at = kFirstFault; at < end_; at = at + dice.between(50, 400) * kMs)
      for (uint64_t depth = dice.between(1, 3); depth > 0; --depth)
        add(at, Act::ambush, any(dice), dice.chance(0.5) ? kRecovery : static_cast<uint32_t>(dice.between(kGather, kRecovery)), dice.next());
  }

  void ending(Dice dice) {
    for (HostId host = 1; host <= plan_.hosts; ++host)
      if (dice.chance(0.5)) script_.push_back({Stage::healing, Act::start, end_, 0, host, 0, 0});
    for (uint32_t i = 0; i < kLastMessages; ++i)
      for (HostId host = 1; host <= plan_.hosts; ++host) {
        const auto service = static_cast<uint32_t>(dice.below(4));
        script_.push_back({Stage::rest, Act::send, end_, 0, host, service, dice.below(300)});
      }
  }

  const Plan& plan_;
  const Instant end_;
  Script script_;
};

std::string ms(uint64_t ns) { return std::to_string(ns / kMs) + " ms"; }

}  // namespace

const char* name_of(Act act) { return kActs[static_cast<size_t>(act)]; }

Script draw_script(const Plan& plan) { return Drawing(plan).all(); }

std::string text_of(const Event& e) {
  constexpr const char* kServices[] = {"unordered", "fifo", "agreed", "safe"};
  const std::string a = "host " + std::to_string(e.a), b = std::to_string(e.b);
  const auto sides = [&] {
    std::string text = "sides ";
    for (uint32_t i = 0; i < 16; ++i) text += (e.n >> i & 1) != 0 ? '1' : '0';
    return text;
  };
  switch (e.act) {
    case Act::partition: return "partition, " + sides();
    case Act::mend: return "all links are mended";
    case Act::one_way: return "nothing goes from " + std::to_string(e.a) + " to " + b;
    case Act::hole: return "nothing large goes from " + std::to_string(e.a) + " to " + b;
    case Act::fill: return "large packets go from " + std::to_string(e.a) + " to " + b + " again";
    case Act::crash: return a + " crashes";
    case Act::leave: return a + " leaves";
    case Act::start: return a + " starts";
    case Act::forget: return a + " comes back and has forgotten what it had stored";
    case Act::pause: return a + " is paused for " + ms(e.n);
    case Act::jump: return a + "'s clock jumps by " + ms(e.n);
    case Act::twin: return "a second machine with the id of " + a + " comes, or goes";
    case Act::ambush: return "when " + a + " enters " + kPhases[e.b] + ": partition, " + sides();
    case Act::send: return a + " submits " + std::to_string(e.n) + " bytes, " + kServices[e.b];
    case Act::burst: return a + " submits " + std::to_string(e.n) + " messages, " + kServices[e.b];
    case Act::change: return a + "'s processes change";
    case Act::kill: return a + " loses its gateway " + b + " effects on, for " + ms(e.n);
    case Act::stop_reading: return a + "'s readers stop for " + ms(e.n) + ", with room for " + b + " bytes" + (e.b % 4 == 0 ? ", or are slow" : "");
    case Act::lose_disk: return a + " comes back with another disk";
    case Act::count_: break;
  }
  return "";
}

}  // namespace evs::sim
