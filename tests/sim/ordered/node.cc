// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ordered/node.cc - see node.h.
#include "tests/sim/ordered/node.h"

#include <cstring>

#include "tests/support/content_hash.h"

namespace evs::sim {
namespace {

using namespace ordering;

constexpr uint64_t kPiecesAFrame = 1024;  // a message's place: its frame's, and which of the frame's
constexpr size_t kTypeAt = 5;             // docs/wire-format.md

uint64_t place(Seq seq, uint32_t index) { return seq.value * kPiecesAFrame + index; }

}  // namespace

verify::Token OrderedNode::name_of(const RingId& ring) {
  return chronicle_.run.names.of(std::to_string(ring.sequence) + "." + std::to_string(ring.representative) + "." + std::to_string(ring.nonce));
}

void OrderedNode::start(Instant now) {
  ++life_;
  settings_.self.nonce = life_ * 1000 + settings_.self.id;
  settings_.ring_sequence = stored_;
  trace_ = &chronicle_.run.boot({settings_.self.id, life_}, verify::Level::host);
  path_ = std::make_unique<OrderedPath>(settings_);
  hashes_.clear();
  medium_.start(id(), life_);
  path_->start(now, out_);
  carry_out(now);
}

void OrderedNode::crash(Instant now) {
  path_.reset();
  medium_.crash(id());
  for (const auto& [number, hash] : hashes_) chronicle_.unsent[trace_->process].insert(hash);
  trace_->fail(static_cast<int64_t>(now.ns));
}

void OrderedNode::end(Instant now) { trace_->end(static_cast<int64_t>(now.ns)); }

void OrderedNode::hear(Instant now, const Heard& heard) {
  if (!alive()) return;
  switch (heard.kind) {
    case Heard::Kind::nothing: return;
    case Heard::Kind::membership: path_->on_membership(now, heard.membership, out_); break;
    case Heard::Kind::message: path_->on_message(now, heard.from, heard.position, heard.bytes, out_); break;
    case Heard::Kind::stable: path_->on_stable(now, heard.position, out_); break;
  }
  carry_out(now);
}

void OrderedNode::on_deadline(Instant now) {
  path_->on_deadline(now, out_);
  carry_out(now);
}

bool OrderedNode::submit(Instant now, Service service, bool change, size_t bytes, test::Dice& prng) {
  std::vector<std::byte> message(bytes + 8);  // enough to be one of a kind
  for (size_t i = 0; i < message.size(); i += 8) {
    const uint64_t word = prng.next();
    std::memcpy(message.data() + i, &word, std::min<size_t>(8, message.size() - i));
  }
  uint64_t number = 0;
  const Submitted answer = change ? path_->submit_change(now, message, number, out_) : path_->submit(now, service, message, number, out_);
  if (answer == Submitted::ok) {
    hashes_[number] = test::content_hash(message);
    if (change) chronicle_.changes.insert(test::content_hash(message));
    trace_->submit(number, static_cast<int64_t>(now.ns));
  }
  carry_out(now);
  return answer == Submitted::ok;
}

void OrderedNode::note(const ordering::Configuration& c, int64_t at) {
  verify::Names& names = chronicle_.run.names;
  verify::Configuration told;
  told.regular = name_of(c.ring);
  told.transitional = !c.regular;
  told.id = c.regular ? told.regular : names.of(names.text(told.regular) + ">" + names.text(name_of(c.next)));
  told.ring_seq = c.ring.sequence;
  for (const Host& host : c.members) told.members.push_back(host.id);
  conf_ = told.id;
  trace_->conf(std::move(told), at);
}

void OrderedNode::carry_out(Instant now) {
  const auto at = static_cast<int64_t>(now.ns);
  for (const Effect& effect : out_.effects) {
    switch (effect.kind) {
      case Effect::Kind::send_to_all:
        acknowledgements_ += out_.packet(effect)[kTypeAt] == static_cast<std::byte>(OrderedType::acknowledgement);
        medium_.send(now, id(), out_.packet(effect));
        break;
      case Effect::Kind::store:
        stored_ = effect.stored.number;
        break;
      case Effect::Kind::stamped: {
        const Stamped& s = out_.stamped[effect.begin];
        trace_->send(name_of(s.ring), place(s.seq, s.index), static_cast<verify::Service>(s.service), hashes_[s.message], s.message, at);
        hashes_.erase(s.message);
        break;
      }
      case Effect::Kind::deliver: {
        const Delivery& d = out_.deliveries[effect.begin];
        ++delivered_;
        trace_->deliver(conf_, name_of(d.ring), place(d.seq, d.index), static_cast<verify::Service>(d.service),
                        {d.sender.id, (d.sender.nonce - d.sender.id) / 1000}, test::content_hash(d.bytes), at);
        break;
      }
      case Effect::Kind::configuration:
        note(out_.configurations[effect.begin], at);
        break;
      default:
        break;
    }
  }
  out_.clear();
}

}  // namespace evs::sim
