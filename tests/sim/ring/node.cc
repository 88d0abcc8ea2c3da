// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node.cc - see node.h.
#include "tests/sim/ring/node.h"

#include <cstring>
#include <utility>

namespace evs::sim {
namespace {

using namespace ordering;

constexpr size_t kSocketPackets = 256;

}  // namespace

verify::Token Node::name_of(const RingId& ring) {
  return run_.names.of(std::to_string(ring.sequence) + "." + std::to_string(ring.representative) + "." + std::to_string(ring.nonce));
}

void Node::start(Instant now) {
  ++life_;
  settings_.self.nonce = life_ * 1000 + settings_.self.id;
  settings_.ring_sequence = stored_;
  protocol_ = std::make_unique<Protocol>(settings_);
  if (residents_) residents_->begin(*protocol_, settings_.message_limit);
  else trace_ = &run_.boot({settings_.self.id, life_}, verify::Level::host);
  hashes_.clear();
  paused_ = false;
  waiting_.clear();
  protocol_->start(now, out_);
  carry_out(now);
}

void Node::crash(Instant now) {
  protocol_.reset();
  if (residents_) residents_->crash(static_cast<int64_t>(now.ns));
  else trace_->fail(static_cast<int64_t>(now.ns));
}

void Node::leave(Instant now) {
  protocol_->leave(now, out_);
  carry_out(now);
  crash(now);
}

void Node::end(Instant now) {
  if (!alive()) return;
  if (residents_) residents_->end(static_cast<int64_t>(now.ns));
  else trace_->end(static_cast<int64_t>(now.ns));
}

void Node::resume(Instant now) {
  paused_ = false;
  if (!alive()) return;
  on_deadline(now);
  for (const Packet& packet : std::exchange(waiting_, {})) receive(now, packet);
}

void Node::receive(Instant now, const Packet& packet) {
  if (!alive()) return;
  if (paused_) {
    if (waiting_.size() < kSocketPackets) waiting_.push_back(packet);
    return;
  }
  protocol_->on_packet(now, packet.bytes, out_);
  carry_out(now);
}

void Node::on_deadline(Instant now) {
  protocol_->on_deadline(now, out_);
  carry_out(now);
}

bool Node::change(Instant now, Prng& prng) {
  const bool changed = residents_->change(now, prng, out_);
  carry_out(now);
  return changed;
}

bool Node::submit(Instant now, Service service, size_t bytes, Prng& prng) {
  if (residents_) {
    const bool taken = residents_->submit(now, service, bytes, prng, out_);
    carry_out(now);
    return taken;
  }
  std::vector<std::byte> message(bytes);
  for (size_t i = 0; i < bytes; i += 8) {
    const uint64_t word = prng.next();
    std::memcpy(message.data() + i, &word, std::min<size_t>(8, bytes - i));
  }
  uint64_t number = 0;
  const bool taken = protocol_->submit(now, service, message, number, out_) == Submitted::ok;
  if (taken) {
    hashes_[number] = hash_of(message);
    trace_->submit(number, static_cast<int64_t>(now.ns));
  }
  carry_out(now);
  return taken;
}

void Node::carry_out(Instant now) {
  do {
    for (const Effect& effect : out_.effects) carry_out_one(now, effect);
    out_.clear();
  } while (residents_ && residents_->follow_up(now, out_));
}

void Node::carry_out_one(Instant now, const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::send_to_all:
      return network_.carry(now, id(), 0, out_.packet(effect));
    case Effect::Kind::send_to:
      return network_.carry(now, id(), effect.to, out_.packet(effect));
    case Effect::Kind::store:
      stored_ = effect.stored.ring_sequence;
      return;
    case Effect::Kind::flush_receive:
      return waiting_.clear();
    case Effect::Kind::paused:
    case Effect::Kind::duplicate_host:
      return;
    case Effect::Kind::stamped:
    case Effect::Kind::deliver:
    case Effect::Kind::configuration:
      if (residents_) residents_->on_effect(out_, effect, static_cast<int64_t>(now.ns));
      else judge(now, effect);
      return;
  }
}

// What the host sees is written down for the judge.
void Node::judge(Instant now, const Effect& effect) {
  const auto at = static_cast<int64_t>(now.ns);
  switch (effect.kind) {
    case Effect::Kind::stamped: {
      const Stamped& stamped = out_.stamped[effect.begin];
      trace_->send(name_of(stamped.ring), place_of(stamped.seq, stamped.index), static_cast<verify::Service>(stamped.service),
                   hashes_[stamped.message], stamped.message, at);
      hashes_.erase(stamped.message);
      break;
    }
    case Effect::Kind::deliver: {
      const Delivery& d = out_.deliveries[effect.begin];
      ++delivered_;
      trace_->deliver(conf_, name_of(d.ring), place_of(d.seq, d.index), static_cast<verify::Service>(d.service),
                      {d.sender.id, (d.sender.nonce - d.sender.id) / 1000}, hash_of(d.bytes), at);
      break;
    }
    case Effect::Kind::configuration: {
      const ordering::Configuration& c = out_.configurations[effect.begin];
      verify::Configuration told;
      told.regular = name_of(c.ring);
      told.transitional = !c.regular;
      told.id = c.regular ? told.regular : run_.names.of(run_.names.text(told.regular) + ">" + run_.names.text(name_of(c.next)));
      told.ring_seq = c.ring.sequence;
      for (const Host& host : c.members) told.members.push_back(host.id);
      conf_ = told.id;
      trace_->conf(std::move(told), at);
      break;
    }
    default:
      break;
  }
}

}  // namespace evs::sim
