// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/plan.cc - see plan.h.
#include "tests/sim/ring/plan.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "bus/ordering/packets.h"

namespace evs::sim {
namespace {


}  // namespace

Plan Plan::draw(uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  plan.hosts = static_cast<uint32_t>(dice.chance(0.02) ? dice.between(8, 16) : dice.between(2, 5));
  constexpr double kLosses[] = {0, 0, 0.01, 0.05, 0.2, 0.5};
  plan.loss = kLosses[dice.below(std::size(kLosses))];
  plan.picky_type = dice.chance(0.3) ? static_cast<int>(dice.between(1, 6)) : 0;
  plan.repeat = dice.chance(0.3) ? 0.1 : 0;
  plan.straggle = dice.chance(0.3) ? 0.02 : 0;
  plan.partitions = dice.chance(0.8);
  plan.one_way = dice.chance(0.3);
  plan.crashes = dice.chance(0.6);
  plan.pauses = dice.chance(0.3);
  plan.holes = dice.chance(0.1);
  plan.large = dice.chance(0.2);
  plan.accelerated = dice.chance(0.3) ? 0 : 20;
  plan.delay_most = dice.chance(0.2) ? dice.between(1, 15) * kMs : dice.between(50, 500) * 1000;
  plan.chaos = dice.between(200, 3000) * kMs;
  plan.message_every = dice.between(200'000, 20'000'000);

  Dice more(seed ^ 0x6d6f7265);
  plan.twins = more.chance(0.08);
  plan.stranger = plan.hosts > 2 && more.chance(0.06) ? static_cast<HostId>(more.between(1, plan.hosts)) : 0;
  plan.forgetful = more.chance(0.08);
  plan.jumps = more.chance(0.12);
  if (more.chance(0.08)) {
    plan.slow = more.between(10, 150) * 1000;
    plan.socket = static_cast<uint32_t>(more.between(4, 64));
  }
  plan.flush_fails = more.chance(0.3);
  plan.ambushes = more.chance(0.25);
  plan.short_recovery = more.chance(0.1);
  plan.tight = more.chance(0.1);
  plan.bursts = more.chance(0.15);
  plan.gateway_kills = more.chance(0.4);
  plan.slow_readers = more.chance(0.25);
  return plan;
}

Plan Plan::calm(uint64_t seed, uint32_t hosts) {
  Plan plan;
  plan.seed = seed;
  plan.hosts = hosts;
  return plan;
}

// A process is told by its host's id, and its configurations by the host's rings: neither is shared with a twin or forgotten here.
void Plan::make_processes() {
  Dice dice(seed ^ 0xbe11);
  processes = true;
  twins = forgetful = false;
  change_every = dice.chance(0.2) ? dice.between(200'000, 2'000'000) : dice.between(2, 60) * kMs;
  if (dice.chance(0.15)) changes_per_ring = static_cast<uint32_t>(dice.between(1, 30));
}

// With a fixed number nobody asks who the hosts are, so a lost disk may bring an epoch twice (docs/decisions/primary-component.md).
void Plan::make_quorum() {
  Dice dice(seed ^ 0x9070e);
  if (!processes) make_processes();
  quorum = {ordering::Quorum::Rule::last_primary, 0};
  if (dice.chance(0.3)) quorum = {ordering::Quorum::Rule::fixed, hosts + static_cast<uint32_t>(dice.below(2))};
  else disks_lost = dice.chance(0.3);
  partitions = true;
  crashes |= dice.chance(0.5);
  gateway_kills |= dice.chance(0.5);
  ambushes |= dice.chance(0.5);
}

void Plan::make_late() {
  straggle = 0.2;
  delay_most = 10 * kMs;
  partitions = true;
}

void Plan::make_waylaid() {
  hosts = 4 + seed % 2;
  if (stranger > hosts) stranger = 0;
  partitions = ambushes = crashes = true;
  loss = 0;
  picky_type = static_cast<int>(ordering::PacketType::data);  // gaps, and recoveries that get far
  message_every = std::min<uint64_t>(message_every, 2 * kMs);
}

ordering::Settings Plan::settings(HostId id) const {
  ordering::Settings settings;
  settings.self.id = id;
  settings.token_lost = 50 * kMs;
  settings.token_resend = 10 * kMs;
  settings.token_hold = 5 * kMs;
  settings.token_linger = seed % 3 * kMs;  // every third: none
  settings.join_resend = 10 * kMs;
  settings.consensus = 60 * kMs;
  settings.merge_probe = 20 * kMs;
  settings.accelerated_frames = accelerated;
  settings.store_frames = 1024;
  settings.queue_bytes = 256 << 10;
  settings.message_limit = 64 << 10;
  settings.cannot_receive_visits = 200;
  settings.stalled_host = 100 * kMs;
  settings.exchange = processes;
  settings.for_successor = gateway_kills;
  if (quorum.rule != ordering::Quorum::Rule::off) {
    settings.message_limit = 128 << 10;
    settings.queue_bytes = 512 << 10;
  }
  if (changes_per_ring != 0) settings.changes_per_ring = changes_per_ring;
  if (short_recovery) settings.recovery_visits = 8;
  if (tight) {
    settings.store_frames = 64;
    settings.window_frames = 32;
    settings.personal_frames = 8;
  }
  if (const std::string why = check(settings); !why.empty()) {
    std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), why.c_str());
    std::abort();
  }
  return settings;
}

std::string Plan::text() const {
  char line[512];
  int n = snprintf(line, sizeof line,
                   "seed %llu: %u hosts, loss %.2f (type %d more), repeat %.1f, late %.2f,%s%s%s%s%s%s accelerated %u, delays up to %.1f ms, %.1f s, a message every %.1f ms",
                   static_cast<unsigned long long>(seed), hosts, loss, picky_type, repeat, straggle, partitions ? " partitions" : "",
                   one_way ? " one-way" : "", crashes ? " crashes" : "", pauses ? " pauses" : "", holes ? " holes" : "", large ? " large" : "",
                   accelerated, static_cast<double>(delay_most) / 1e6, static_cast<double>(chaos) / 1e9, static_cast<double>(message_every) / 1e6);
  std::string text(line, static_cast<size_t>(n));
  if (twins) text += ", twins";
  if (stranger != 0) text += ", host " + std::to_string(stranger) + " has another key";
  if (forgetful) text += ", forgetful";
  if (jumps) text += ", clocks jump";
  if (slow != 0) text += ", " + std::to_string(slow / 1000) + " us a packet";
  if (socket != Plan().socket) text += ", sockets of " + std::to_string(socket);
  if (flush_fails) text += ", no flush";
  if (ambushes) text += ", ambushes";
  if (short_recovery) text += ", short recoveries";
  if (tight) text += ", tight windows";
  if (bursts) text += ", bursts";
  if (gateway_kills) text += ", gateways killed";
  if (slow_readers) text += ", slow readers";
  if (processes) text += ", a change of processes every " + std::to_string(change_every / 1000) + " us";
  if (quorum.rule == ordering::Quorum::Rule::last_primary) text += ", quorum auto";
  if (quorum.rule == ordering::Quorum::Rule::fixed) text += ", quorum " + std::to_string(quorum.hosts);
  if (disks_lost) text += ", disks lost";
  if (changes_per_ring != 0) text += ", " + std::to_string(changes_per_ring) + " of them a ring";
  return text;
}

}  // namespace evs::sim
