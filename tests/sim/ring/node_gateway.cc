// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/node_gateway.cc - a gateway is killed, another one takes over; and the outbox that both take from.
#include <utility>

#include "tests/sim/ring/node.h"

namespace evs::sim {

using namespace ordering;

namespace {

constexpr uint64_t kMessagesAGateway = 1'000'000'000;  // with openings, whose numbers nobody keeps

}  // namespace

void Node::boot() {
  settings_.self.nonce = (life_ * kGateways + gateway_++) * kMachines + machine_;
  waiting_.clear();
  up_again_ = kNever;
  if (residents_) settings_.first_message = gateway_ * kMessagesAGateway + 1;
  protocol_ = std::make_unique<Protocol>(settings_);
  protocol_->set_room(log_.room());
}

void Node::lose_gateway(Instant now) {
  ++counts_["fault.kill"];
  count(counts_, *protocol_);
  protocol_.reset();
  up_again_ = now + down_;
}

void Node::take_over(Instant now) {
  boot();
  if (residents_) residents_->take_over(*protocol_, settings_.message_limit, ballot_.get());
  protocol_->resume(clock(now), stored_, out_);
  carry_out(now);
  if (!up()) return;
  if (residents_) residents_->submit_again();
  // What is not wholly stamped lies in the outbox still, in the order in which it was submitted.
  for (auto message = outbox_.rbegin(); message != outbox_.rend(); ++message) unheard_.push_front(std::move(message->second));
  outbox_.clear();
  give_unheard(now);
}

void Node::enter(Instant now, Message& message) {
  if (message.submission != 0) return;
  message.submission = ++submissions_;
  trace_->submit(message.submission, static_cast<int64_t>(now.ns));
}

bool Node::give_to_gateway(Instant now, Message& message) {
  uint64_t number = 0;
  const bool taken = protocol_->submit(clock(now), message.service, message.bytes, number, out_) == Submitted::ok;
  if (taken) {
    enter(now, message);
    settings_.first_message = number + 1;
    outbox_[number] = std::move(message);
  }
  carry_out(now);
  return taken;
}

void Node::give_unheard(Instant now) {
  while (residents_ && up() && residents_->give_unheard(clock(now), out_)) carry_out(now);
  while (up() && !unheard_.empty() && give_to_gateway(now, unheard_.front())) unheard_.pop_front();
}

}  // namespace evs::sim
