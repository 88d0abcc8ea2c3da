// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/verify/model.cc - see model.h.
#include "tests/unit/verify/model.h"

#include <algorithm>
#include <string>

namespace evs::verify {

namespace {

std::string numbered(char letter, uint64_t number) {
  std::string name(1, letter);
  return name += std::to_string(number);
}

}  // namespace

Model::Model(uint64_t seed) : random_(seed) {
  members_.resize(2 + below(4));
  for (uint32_t p = 0; p < members_.size(); ++p) {
    members_[p].nodeid = p + 1;
    boot(p);
  }
}

std::vector<uint32_t> Model::living() const {
  std::vector<uint32_t> out;
  for (uint32_t p = 0; p < members_.size(); ++p)
    if (members_[p].alive) out.push_back(p);
  return out;
}

std::vector<uint32_t> Model::nodeids(const std::vector<uint32_t>& members) const {
  std::vector<uint32_t> out;
  for (const uint32_t p : members) out.push_back(members_[p].nodeid);
  return out;
}

void Model::boot(uint32_t p) {
  Member& m = members_[p];
  m.alive = true;
  m.trace = &run.boot({m.nodeid, ++m.incarnation}, Level::host);
  install({p});
}

// Those who were with it go on as if it were there, until the next change.
void Model::crash(uint32_t p) {
  members_[p].alive = false;
  members_[p].trace->fail();
  ++crashes;
}

void Model::send(uint32_t p) {
  Member& m = members_[p];
  const Message message{p, {m.nodeid, m.incarnation}, static_cast<Service>(below(4)), next_hash_++};
  m.ring->messages.push_back(message);
  m.holds.resize(m.ring->messages.size());
  m.holds.back() = true;
  m.trace->submit(message.hash);
  m.trace->send(m.ring->id, m.ring->messages.size(), message.service, message.hash, message.hash);
}

// From anybody: what was sent in the ring is in the air.
void Model::hear(uint32_t p) {
  Member& m = members_[p];
  if (m.ring->messages.empty()) return;
  m.holds.resize(m.ring->messages.size());
  m.delivered.resize(m.ring->messages.size());
  m.holds[below(static_cast<uint32_t>(m.holds.size()))] = true;
  const size_t held = prefix(m);
  if (held < m.holds.size() && below(2) == 0) m.holds[held] = true;
}

size_t Model::prefix(const Member& m) const {
  return static_cast<size_t>(std::find(m.holds.begin(), m.holds.end(), false) - m.holds.begin());
}

bool Model::all_hold_up_to(const ModelRing& ring, size_t i) const {
  return std::all_of(ring.members.begin(), ring.members.end(), [&](uint32_t p) {
    const Member& m = members_[p];
    return m.ring.get() == &ring && prefix(m) > i;  // the dead keep what they held
  });
}

void Model::deliver(uint32_t p, Token conf, size_t i) {
  Member& m = members_[p];
  if (m.delivered[i]) return;
  m.delivered[i] = true;
  const Message& message = m.ring->messages[i];
  m.trace->deliver(conf, m.ring->id, i + 1, message.service, message.process, message.hash);
}

// UNORDERED and FIFO, before their turn.
void Model::deliver_early(uint32_t p) {
  Member& m = members_[p];
  m.holds.resize(m.ring->messages.size());
  m.delivered.resize(m.ring->messages.size());
  std::vector<bool> broken(members_.size());  // a FIFO message of this sender is missing
  for (size_t i = 0; i < m.ring->messages.size(); ++i) {
    const Message& message = m.ring->messages[i];
    if (!m.holds[i]) {
      broken[message.sender] = true;  // of whatever service: who does not hold it cannot know
      continue;
    }
    if (message.service == Service::unordered || (message.service == Service::fifo && !broken[message.sender]))
      deliver(p, m.ring->id, i);
  }
}

void Model::deliver_in_order(uint32_t p) {
  Member& m = members_[p];
  m.holds.resize(m.ring->messages.size());
  m.delivered.resize(m.ring->messages.size());
  while (m.agreed_up_to < m.holds.size() && m.holds[m.agreed_up_to]) {
    const size_t i = m.agreed_up_to;
    if (m.ring->messages[i].service == Service::safe && !all_hold_up_to(*m.ring, i)) return;
    deliver(p, m.ring->id, i);
    ++m.agreed_up_to;
  }
}

// What protocol.md A6 says, for companions who all come from one ring.
void Model::recover(const std::vector<uint32_t>& companions) {
  const std::shared_ptr<ModelRing> ring = members_[companions[0]].ring;
  const size_t size = ring->messages.size();
  std::vector<bool> pool(size);
  size_t done = 0;  // what somebody delivered in order already
  for (const uint32_t p : companions) {
    Member& m = members_[p];
    m.holds.resize(size);
    m.delivered.resize(size);
    for (size_t i = 0; i < size; ++i) pool[i] = pool[i] || m.holds[i];
    done = std::max(done, m.agreed_up_to);
  }
  std::vector<uint32_t> members = companions;
  const Token transition = run.names.of(numbered('t', next_transition_++));
  for (const uint32_t p : companions) {
    Member& m = members_[p];
    m.holds = pool;
    deliver_early(p);
    size_t i = m.agreed_up_to;
    for (; i < size && pool[i] && (i < done || ring->messages[i].service != Service::safe); ++i)
      deliver(p, ring->id, i);
    tell(m, {transition, true, ring->id, 0, nodeids(companions), {}, {}});
    bool gap = false;
    for (; i < size; ++i) {
      const Message& message = ring->messages[i];
      if (!pool[i]) {
        gap = true;
      } else if (!gap || std::find(companions.begin(), companions.end(), message.sender) != companions.end()) {
        safe_in_transition += message.service == Service::safe;
        deliver(p, transition, i);
      }
    }
    gaps += gap;
  }
}

// With who joined and who left.
void Model::tell(Member& m, Configuration c) {
  const bool first = m.trace->configurations.empty();
  const std::vector<uint32_t> before = first ? std::vector<uint32_t>{} : m.trace->configurations.back().members;
  const auto has = [](const std::vector<uint32_t>& list, uint32_t nodeid) { return std::find(list.begin(), list.end(), nodeid) != list.end(); };
  for (const uint32_t nodeid : c.members)
    if (first ? nodeid == m.nodeid : !has(before, nodeid)) c.joined.push_back(nodeid);
  for (const uint32_t nodeid : before)
    if (!has(c.members, nodeid)) c.left.push_back(nodeid);
  m.trace->conf(std::move(c));
}

void Model::install(const std::vector<uint32_t>& group) {
  const auto ring = std::make_shared<ModelRing>();
  const uint64_t seq = next_ring_++;
  ring->id = run.names.of(numbered('r', seq));
  ring->members = group;
  for (const uint32_t p : group) {
    Member& m = members_[p];
    tell(m, {ring->id, false, ring->id, seq, nodeids(group), {}, {}});
    m.ring = ring;
    m.holds.clear();
    m.delivered.clear();
    m.agreed_up_to = 0;
  }
}

// Each group holds living members; those of one ring recover together.
void Model::regroup(const std::vector<std::vector<uint32_t>>& groups) {
  for (const std::vector<uint32_t>& group : groups) {
    if (group.empty()) continue;
    std::map<Token, std::vector<uint32_t>> from;
    for (const uint32_t p : group) from[members_[p].ring->id].push_back(p);
    merges += from.size() > 1;
    partitions += group.size() < members_[group[0]].ring->members.size();
    for (const auto& [ring, companions] : from) recover(companions);
    install(group);
  }
}

// Members change sides at random; the rings of those who are not asked stay as they are.
void Model::change() {
  std::vector<std::vector<uint32_t>> groups(1 + below(3));
  for (const uint32_t p : living()) groups[below(static_cast<uint32_t>(groups.size()))].push_back(p);
  regroup(groups);
}

void Model::live(uint32_t steps) {
  for (uint32_t step = 0; step < steps; ++step) {
    const uint32_t p = below(static_cast<uint32_t>(members_.size()));
    const uint32_t what = below(100);
    if (!members_[p].alive) {
      if (what < 10) boot(p);
    } else if (what < 25) {
      send(p);
    } else if (what < 60) {
      hear(p);
    } else if (what < 75) {
      deliver_early(p);
    } else if (what < 95) {
      deliver_in_order(p);
    } else if (what < 99) {
      change();
    } else if (living().size() > 1) {
      crash(p);
    }
  }
  for (uint32_t p = 0; p < members_.size(); ++p)
    if (!members_[p].alive) boot(p);
  regroup({living()});
  for (const uint32_t p : living()) send(p);
  for (const uint32_t p : living()) members_[p].holds.assign(members_[p].ring->messages.size(), true);
  for (const uint32_t p : living()) {
    deliver_early(p);
    deliver_in_order(p);
    members_[p].trace->end();
  }
}

}  // namespace evs::verify
