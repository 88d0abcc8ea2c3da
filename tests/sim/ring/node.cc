// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node.cc - see node.h.
#include "tests/sim/ring/node.h"

#include <cstring>
#include <utility>

namespace evs::sim {
namespace {

using namespace ordering;

constexpr size_t kSocketPackets = 256;
constexpr uint64_t kPiecesAFrame = 1024;  // a message's place: its frame's, and which of the frame's

// FNV-1a. None of what is too short to be one of a kind.
uint64_t hash_of(Bytes bytes) {
  if (bytes.size() < 8) return 0;
  uint64_t h = 0xcbf29ce484222325ull;
  for (const std::byte b : bytes) h = (h ^ static_cast<uint64_t>(b)) * 0x100000001b3ull;
  return h | 1;
}

uint64_t place(Seq seq, uint32_t index) { return seq.value * kPiecesAFrame + index; }

}  // namespace

verify::Token Node::name_of(const RingId& ring) {
  return run_.names.of(std::to_string(ring.sequence) + "." + std::to_string(ring.representative) + "." + std::to_string(ring.nonce));
}

void Node::start(Instant now) {
  ++life_;
  settings_.self.nonce = life_ * 1000 + settings_.self.id;
  settings_.ring_sequence = stored_;
  trace_ = &run_.boot({settings_.self.id, life_}, verify::Level::host);
  protocol_ = std::make_unique<Protocol>(settings_);
  hashes_.clear();
  paused_ = false;
  waiting_.clear();
  protocol_->start(now, out_);
  carry_out(now);
}

void Node::crash(Instant now) {
  protocol_.reset();
  trace_->fail(static_cast<int64_t>(now.ns));
}

void Node::leave(Instant now) {
  protocol_->leave(now, out_);
  carry_out(now);
  crash(now);
}

void Node::end(Instant now) {
  if (alive()) trace_->end(static_cast<int64_t>(now.ns));
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

bool Node::submit(Instant now, Service service, size_t bytes, Prng& prng) {
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
  const auto at = static_cast<int64_t>(now.ns);
  for (const Effect& effect : out_.effects) {
    switch (effect.kind) {
      case Effect::Kind::send_to_all:
        network_.carry(now, id(), 0, out_.packet(effect));
        break;
      case Effect::Kind::send_to:
        network_.carry(now, id(), effect.to, out_.packet(effect));
        break;
      case Effect::Kind::store:
        stored_ = effect.stored.ring_sequence;
        break;
      case Effect::Kind::stamped: {
        const Stamped& stamped = out_.stamped[effect.begin];
        trace_->send(name_of(stamped.ring), place(stamped.seq, stamped.index), static_cast<verify::Service>(stamped.service),
                     hashes_[stamped.message], stamped.message, at);
        hashes_.erase(stamped.message);
        break;
      }
      case Effect::Kind::deliver: {
        const Delivery& d = out_.deliveries[effect.begin];
        ++delivered_;
        trace_->deliver(conf_, name_of(d.ring), place(d.seq, d.index), static_cast<verify::Service>(d.service),
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
      case Effect::Kind::flush_receive:
        waiting_.clear();
        break;
      case Effect::Kind::paused:
      case Effect::Kind::duplicate_host:
        break;
    }
  }
  out_.clear();
}

}  // namespace evs::sim
