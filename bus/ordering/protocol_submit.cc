// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/protocol_submit.cc - what this host wants to say, and what its owner has learned from what was delivered.
#include "bus/ordering/protocol.h"

namespace evs::ordering {

Submitted Protocol::enqueue(Instant now, SendQueue& queue, Role role, Service service, Bytes message, uint64_t& number, Output& out) {
  if (std::holds_alternative<Closed>(phase_)) return Submitted::closed;
  begin_event(now, out);
  if (message.size() > settings_.message_limit || !queue.ever_has_room(message.size(), role)) return Submitted::too_big;
  if (!queue.has_room(message.size(), role)) return Submitted::again;
  number = next_number_++;
  queue.push(number, service, message, role);
  ask_for_token(now, out);
  end_event(now);
  return Submitted::ok;
}

Submitted Protocol::submit(Instant now, Service service, Bytes message, uint64_t& number, Output& out) {
  return enqueue(now, queue_, Role::message, service, message, number, out);
}

Submitted Protocol::submit_change(Instant now, Bytes message, uint64_t& number, Output& out) {
  return enqueue(now, queue_, Role::change, Service::agreed, message, number, out);
}

Submitted Protocol::submit_opening(Instant now, Bytes message, uint64_t& number, Output& out) {
  opening_.clear();
  return enqueue(now, opening_, Role::change, Service::agreed, message, number, out);
}

void Protocol::exchange_complete(Instant now, Output& out) {
  auto* operating = std::get_if<Operating>(&phase_);
  if (operating == nullptr) return;  // the ring is broken; the next one has an exchange of its own
  begin_event(now, out);
  operating->barrier->exchange_complete();
  ask_for_token(now, out);
  end_event(now);
}

void Protocol::heard_opening(HostId host) {
  auto* operating = std::get_if<Operating>(&phase_);
  const Host* member = operating == nullptr ? nullptr : with_id(members_, host);
  if (member != nullptr && add(operating->opened, *member)) operating->exchange_visits = 0;
}

void Protocol::begin_votes() {
  auto* operating = std::get_if<Operating>(&phase_);
  if (operating == nullptr) return;
  operating->opened.clear();
  operating->exchange_visits = 0;
}

HostId Protocol::held_by() const {
  const auto* operating = std::get_if<Operating>(&phase_);
  return operating == nullptr ? kNoHost : operating->held_by;
}

HostId Protocol::lagging() const {
  const auto* operating = std::get_if<Operating>(&phase_);
  return operating == nullptr ? kNoHost : operating->rotation->lagging();
}

Seq Protocol::received_up_to() const { return store_->received_up_to(); }

Seq Protocol::stable() const {
  const auto* operating = std::get_if<Operating>(&phase_);
  return operating == nullptr ? store_->forgotten_through() : operating->rotation->stable();
}

Seq Protocol::high() const {
  const auto* operating = std::get_if<Operating>(&phase_);
  return operating == nullptr ? store_->high() : std::max(store_->high(), operating->rotation->high());
}

void Protocol::form_anew(Instant now, Output& out) {
  if (!is_operational()) return;
  begin_event(now, out);
  enter_gather(now, Why::names_run_out, out);
  end_event(now);
}

// There is something to do: an idle token is let go, or asked for.
void Protocol::ask_for_token(Instant now, Output& out) {
  auto* operating = std::get_if<Operating>(&phase_);
  if (operating == nullptr) return;
  if (operating->held) {
    // With what else is said at this moment: each message in a packet of its own is what packing is there to spare.
    if (speaks_in_place(now, *operating)) deadlines_.arm(Timer::token_hold, now);
    else release(now, *operating, out);
  } else if (operating->rotation->may_rest_elsewhere() && !operating->cancel_sent) {
    operating->cancel_sent = true;
    send(kNoHost, HoldCancel{ring_}, out);
  }
}

}  // namespace evs::ordering
