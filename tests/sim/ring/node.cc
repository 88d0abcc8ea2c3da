// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node.cc - see node.h.
#include "tests/sim/ring/node.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tests/support/content_hash.h"

namespace evs::sim {
namespace {

using namespace ordering;

Machine machine_of(const Host& host) { return static_cast<Machine>(host.nonce % kMachines); }
verify::Process process_of(const Host& host) { return {machine_of(host), host.nonce / kMachines / kGateways}; }

}  // namespace

Node::Node(const Plan& plan, Machine machine, Network& network, verify::Run& run, Ballots& ballots)
    : machine_(machine), settings_(plan.settings((machine - 1) % plan.hosts + 1)), network_(network), run_(plan.quorum.rule == Quorum::Rule::off ? run : ballots.run), ballots_(ballots), log_(settings_), cost_(plan.slow), socket_(plan.socket),
      flush_fails_(plan.flush_fails) {
  if (plan.processes) residents_ = std::make_unique<Residents>(settings_.self.id, run);
  if (plan.quorum.rule != Quorum::Rule::off) ballot_ = std::make_unique<Ballot>(ballots, plan.quorum, settings_.self);
}

uint32_t Node::name_of(const Host& host) const {
  return ballot_ ? ballots_.names.at({machine_of(host), process_of(host).incarnation}) : machine_of(host);
}

verify::Token Node::name_of(const RingId& ring) {
  return run_.names.of(std::to_string(ring.sequence) + "." + std::to_string(ring.representative) + "." + std::to_string(ring.nonce));
}

void Node::start(Instant now) {
  ++life_;
  alive_ = true;
  settings_.ring_sequence = stored_.ring_sequence;
  stored_ = {};
  stored_.ring_sequence = settings_.ring_sequence;
  gateway_ = submissions_ = 0;
  settings_.first_message = 1;
  outbox_.clear();
  unheard_.clear();
  boot();
  if (ballot_) ballot_->boot(machine_, life_, settings_.self.id == 1);
  if (ballot_) trace_ = &ballot_->trace();
  if (residents_) residents_->begin(*protocol_, settings_.message_limit, ballot_.get());
  else trace_ = &run_.boot({machine_, life_}, verify::Level::host);
  paused_until_ = busy_until_ = {};
  log_.read_all();
  protocol_->start(clock(now), out_);
  carry_out(now);
}

void Node::crash(Instant now) {
  if (up()) count(counts_, *protocol_);
  protocol_.reset();
  alive_ = false;
  kill_after_ = 0;
  up_again_ = kNever;
  if (residents_) residents_->crash(static_cast<int64_t>(now.ns));
  if (trace_ != nullptr) trace_->fail(static_cast<int64_t>(now.ns));
}

void Node::leave(Instant now) {
  if (up()) {
    protocol_->leave(clock(now), out_);
    carry_out(now);
  }
  crash(now);
}

void Node::end(Instant now) {
  if (!alive()) return;
  if (residents_) residents_->end(static_cast<int64_t>(now.ns));
  if (trace_ != nullptr) trace_->end(static_cast<int64_t>(now.ns));
}

Instant Node::next_wake() const {
  if (!alive()) return kNever;
  if (!up()) return std::max(up_again_, paused_until_);
  const Instant due = protocol_->next_deadline();
  const Instant deadline = due == kNever ? kNever : Instant{due.ns - std::min(due.ns, ahead_)};
  const Instant next = std::min(log_.next(), waiting_.empty() ? deadline : std::min(deadline, busy_until_));
  return std::max(next, paused_until_);
}

void Node::wake(Instant now) {
  if (paused(now)) return;
  if (!up()) return take_over(now);
  if (log_.next() <= now) {
    log_.read(now);
    return tell_room(now);
  }
  if (protocol_->next_deadline() <= clock(now)) {
    protocol_->on_deadline(clock(now), out_);
    carry_out(now);
    return give_unheard(now);
  }
  if (waiting_.empty() || now < busy_until_) return;
  const Packet packet = std::move(waiting_.front());
  waiting_.pop_front();
  handle(now, packet);
}

void Node::receive(Instant now, Packet packet) {
  if (!up()) return;
  if (!paused(now) && now >= busy_until_ && waiting_.empty()) return handle(now, packet);
  if (waiting_.size() < socket_) waiting_.push_back(std::move(packet));
  else ++overflowed_;
}

void Node::handle(Instant now, const Packet& packet) {
  busy_until_ = now + cost_;
  protocol_->on_packet(clock(now), packet.bytes, out_);
  carry_out(now);
}

void Node::stop_reading(Instant now, Instant until, uint32_t room) {
  log_.stop(now, until, room, room % 4 == 0 ? room / 4 : 0);
  if (up()) protocol_->set_room(log_.room());
}

void Node::read_again(Instant now) {
  log_.read_all();
  if (up()) tell_room(now);
}

void Node::tell_room(Instant now) {
  protocol_->on_room(clock(now), log_.room(), out_);
  carry_out(now);
  give_unheard(now);
}

bool Node::change(Instant now, uint64_t seed) {
  if (!up()) return false;
  Dice dice(seed);
  const bool changed = residents_->change(clock(now), dice, out_);
  carry_out(now);
  return changed;
}

bool Node::submit(Instant now, Service service, size_t bytes, uint64_t content) {
  Dice dice(content);
  if (residents_) {
    if (!up()) return false;
    const bool taken = residents_->submit(clock(now), service, bytes, dice, out_);
    carry_out(now);
    return taken;
  }
  Message message{0, service, std::vector<std::byte>(bytes)};
  for (size_t i = 0; i < bytes; i += 8) {
    const uint64_t word = dice.next();
    std::memcpy(message.bytes.data() + i, &word, std::min<size_t>(8, bytes - i));
  }
  if (up() && unheard_.empty()) return give_to_gateway(now, message);
  if (unheard_.size() >= kMostUnheard) return false;
  enter(now, message);
  unheard_.push_back(std::move(message));
  return true;
}

void Node::tell(Instant now, const ordering::Configuration& c) {
  verify::Configuration told;
  told.regular = name_of(c.ring);
  told.transitional = !c.regular;
  told.id = c.regular ? told.regular : run_.names.of(run_.names.text(told.regular) + ">" + run_.names.text(name_of(c.next)));
  told.ring_seq = c.ring.sequence;
  for (const Host& host : c.members) told.members.push_back(name_of(host));
  std::sort(told.members.begin(), told.members.end());
  conf_ = told.id;
  if (ballot_) ballot_->in(c.regular ? c.ring : RingId{}, told.id);
  trace_->conf(std::move(told), static_cast<int64_t>(now.ns));
}

void Node::carry_out(Instant now) {
  do {
    for (const Effect& effect : out_.effects) {
      if (!carry_out_one(now, effect)) {
        ++counts_["fault.kill at a record"];
        lose_gateway(now);
        kill_after_ = 0;
        break;
      }
      if (settings_.for_successor || effect.kind == Effect::Kind::store) apply(stored_, effect, out_, *protocol_);
      if (kill_after_ == 0 || --kill_after_ != 0) continue;
      lose_gateway(now);
      break;
    }
    out_.clear();
  } while (up() && follow_up(now));
}

// What comes of what was carried out.
bool Node::follow_up(Instant now) {
  protocol_->set_room(log_.room());
  if (residents_ && residents_->follow_up(clock(now), out_)) return true;
  if (!protocol_->is_held() || log_.is_stopped()) return false;
  protocol_->on_room(clock(now), log_.room(), out_);  // more waited than found room at once, and that has been read
  return true;
}

bool Node::carry_out_one(Instant now, const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::send_to_all:
      network_.carry(now, machine_, 0, out_.packet(effect));
      return true;
    case Effect::Kind::send_to:
      network_.carry(now, machine_, effect.to, out_.packet(effect));
      return true;
    case Effect::Kind::flush_receive:
      if (!flush_fails_) waiting_.clear();
      return true;
    case Effect::Kind::store:  // apply()
    case Effect::Kind::paused:
    case Effect::Kind::duplicate_host:
      return true;
    case Effect::Kind::stamped:
    case Effect::Kind::deliver:
    case Effect::Kind::configuration:
      if (effect.kind == Effect::Kind::deliver && !log_.append(out_.deliveries[effect.begin].bytes.size())) ++overran_;
      if (!residents_) {
        judge(now, effect);
        return true;
      }
      if (ballot_ && effect.kind == Effect::Kind::configuration) tell(now, out_.configurations[effect.begin]);
      // Of those that are to be killed some effects on, some are as soon as the disk has what they vote.
      const bool alive = residents_->on_effect(out_, effect, static_cast<int64_t>(now.ns), kill_after_ % 3 == 1);
      if (ballot_) declare(now);
      return alive;
  }
  return true;
}

void Node::declare(Instant now) {
  if (ballot_->declare(residents_->level().epoch(), static_cast<int64_t>(now.ns))) ++counts_["run.primary"];
}

// What the host sees is written down for the judge.
void Node::judge(Instant now, const Effect& effect) {
  const auto at = static_cast<int64_t>(now.ns);
  if (effect.kind == Effect::Kind::configuration) return tell(now, out_.configurations[effect.begin]);
  if (effect.kind == Effect::Kind::stamped) {
    const Stamped& stamped = out_.stamped[effect.begin];
    const Message& message = outbox_[stamped.message];
    trace_->send(name_of(stamped.ring), place_of(stamped.seq, stamped.index), static_cast<verify::Service>(stamped.service), test::content_hash(message.bytes),
                 message.submission, at);
    outbox_.erase(stamped.message);
    return;
  }
  const Delivery& d = out_.deliveries[effect.begin];
  ++delivered_;
  trace_->deliver(conf_, name_of(d.ring), place_of(d.seq, d.index), static_cast<verify::Service>(d.service), process_of(d.sender), test::content_hash(d.bytes), at);
}

}  // namespace evs::sim
