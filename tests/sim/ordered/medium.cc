// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/medium.cc - see medium.h.
#include "tests/sim/ordered/medium.h"

#include <algorithm>
#include <set>
#include <utility>

namespace evs::sim {
namespace {

constexpr uint64_t kPlacesAnEra = 1'000'000;  // positions grow from era to era
constexpr Duration kLeast = 10'000;

}  // namespace

void OrderedMedium::start(HostId host, uint64_t life) {
  Port& port = ports_[host];
  const Port fresh;
  port.life = life;
  port.alive = true;
  port.outgoing.clear();
  port.path.clear();
  port.read = 0;
  port.told = 0;
  port.read_at = fresh.read_at;
}

void OrderedMedium::crash(HostId host) {
  Port& port = ports_[host];
  port.alive = false;
  port.outgoing.clear();
  port.path.clear();
  port.read_at = ordering::kNever;
}

void OrderedMedium::send(Instant now, HostId host, Bytes bytes) {
  Port& port = ports_[host];
  Instant at = now + prng_.between(kLeast, port.pace.order_most);
  if (!port.outgoing.empty()) at = std::max(at, port.outgoing.back().at);
  port.outgoing.push_back({at, {bytes.begin(), bytes.end()}});
}

bool OrderedMedium::has_more(const Port& port) const {
  if (!port.alive || port.path.empty()) return false;
  const Stay& stay = port.path.front();
  if (!stay.announced || port.path.size() > 1) return true;
  const size_t size = eras_[stay.era].log.size();
  return port.read < size || (tells_ && port.told < size);
}

void OrderedMedium::wake(Instant now, Port& port) {
  if (port.read_at == ordering::kNever && has_more(port)) port.read_at = now + prng_.between(kLeast, port.pace.read_most);
}

bool OrderedMedium::quiet() const {
  return std::none_of(ports_.begin(), ports_.end(), [this](const Port& port) { return port.alive && (has_more(port) || !port.outgoing.empty()); });
}

void OrderedMedium::reform(Instant now, uint32_t side, bool falls_apart) {
  std::vector<HostId> parts[2];
  for (HostId host = 1; host < ports_.size(); ++host)
    if (ports_[host].alive && ports_[host].side == side) parts[falls_apart ? prng_.below(2) : 0].push_back(host);
  for (const auto& part : parts)
    if (!part.empty()) form(now, part);
}

// Up to where those who go on together read the era that they leave.
size_t OrderedMedium::common_end(size_t number, const std::vector<HostId>& going) {
  const Era& era = eras_[number];
  size_t least = 0;
  for (const HostId host : going) {
    const Port& port = ports_[host];
    if (port.path.front().era == number) least = std::max(least, port.read);
    least = std::max(least, era.received.at(host));
    for (size_t i = era.log.size(); i > least; --i)
      if (era.log[i - 1].from == host) least = i;
  }
  return prng_.chance(0.5) ? least : prng_.between(least, era.log.size());
}

void OrderedMedium::form(Instant now, const std::vector<HostId>& members) {
  std::map<HostId, uint64_t> lives;
  std::map<size_t, std::vector<HostId>> from;
  for (const HostId host : members) {
    lives[host] = ports_[host].life;
    if (!ports_[host].path.empty()) from[ports_[host].path.back().era].push_back(host);
  }
  if (from.size() == 1 && from.begin()->second.size() == members.size() && eras_[from.begin()->first].members == lives) return;
  const size_t number = eras_.size();
  eras_.push_back({lives, {}, {}});
  std::map<HostId, ordering::MediumMembership> told;
  for (const HostId host : members) {
    told[host].members = members;
    if (ports_[host].path.empty()) told[host].joined = members;
  }
  for (const auto& [old, going] : from) {
    const size_t end = common_end(old, going);
    for (const HostId host : going) {
      Port& port = ports_[host];
      port.path.back().until = end;
      eras_[old].received[host] = end;
      std::set_difference(members.begin(), members.end(), going.begin(), going.end(), std::back_inserter(told[host].joined));
      for (const auto& was : eras_[old].members)
        if (!std::binary_search(going.begin(), going.end(), was.first)) told[host].left.push_back(was.first);
    }
  }
  for (const HostId host : members) {
    eras_[number].received[host] = 0;
    ports_[host].path.push_back({number, SIZE_MAX, false, told[host]});
    wake(now, ports_[host]);
  }
}

Instant OrderedMedium::next() const {
  Instant at = ordering::kNever;
  for (const Port& port : ports_) {
    if (!port.alive) continue;
    at = std::min(at, port.read_at);
    if (!port.path.empty() && !port.outgoing.empty()) at = std::min(at, port.outgoing.front().at);
  }
  return at;
}

HostId OrderedMedium::step(Instant now, Heard& heard) {
  heard = {};
  for (HostId host = 1; host < ports_.size(); ++host) {
    Port& port = ports_[host];
    if (!port.alive) continue;
    if (!port.path.empty() && !port.outgoing.empty() && port.outgoing.front().at <= now) {
      put(now, host);
      return host;
    }
    if (port.read_at <= now) {
      read(now, host, heard);
      return host;
    }
  }
  return 0;
}

void OrderedMedium::put(Instant now, HostId host) {
  Port& port = ports_[host];
  Era& era = eras_[port.path.back().era];
  era.log.push_back({host, std::move(port.outgoing.front().bytes)});
  port.outgoing.pop_front();
  ++ordered_;
  for (const auto& [member, life] : era.members)
    if (ports_[member].life == life) wake(now, ports_[member]);
}

// How far all members of the era have it for certain. What they hold grows while nobody looks.
size_t OrderedMedium::stable(size_t number) {
  Era& era = eras_[number];
  size_t all = era.log.size();
  for (const auto& [member, life] : era.members) {
    const Port& port = ports_[member];
    size_t& received = era.received[member];
    if (port.alive && port.life == life && !port.path.empty() && port.path.back().era == number && prng_.chance(0.5))
      received = prng_.between(received, era.log.size());
    all = std::min(all, received);
  }
  return all;
}

void OrderedMedium::read(Instant now, HostId host, Heard& heard) {
  Port& port = ports_[host];
  port.read_at = ordering::kNever;
  Stay& stay = port.path.front();
  const Era& era = eras_[stay.era];
  if (!stay.announced) {
    stay.announced = true;
    heard.kind = Heard::Kind::membership;
    heard.membership = stay.membership;
    port.read = 0;
    port.told = 0;
  } else if (tells_ && port.told < era.log.size() && prng_.chance(0.3)) {
    port.told = std::max<uint64_t>(port.told, stable(stay.era));
    heard.kind = Heard::Kind::stable;
    heard.position = stay.era * kPlacesAnEra + port.told;
  } else if (port.read < std::min(stay.until, era.log.size())) {
    const Entry& entry = era.log[port.read++];
    heard.kind = Heard::Kind::message;
    heard.from = entry.from;
    heard.bytes = entry.bytes;
    heard.position = stay.era * kPlacesAnEra + port.read;
    if (size_t& received = eras_[stay.era].received[host]; received < port.read) received = port.read;
  } else if (port.path.size() > 1) {
    port.path.pop_front();
  }
  wake(now, port);
}

}  // namespace evs::sim
