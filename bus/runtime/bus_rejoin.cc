// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/bus_rejoin.cc - after an expulsion: alone with the transport, a new identity, and every handle's groups again.
//
// Any call may learn of the expulsion. It asks and waits outside; the service thread raises the gate, waits until nobody is
// inside the transport, rejoins, tells each handle, appends the records of its groups, and lowers the gate. Sends stay refused (TRY_AGAIN)
// until all these records are in the order, so that a message never comes before the join that should deliver it.
#include <sched.h>

#include <algorithm>
#include <limits>

#include "bus/runtime/bus.h"
#include "bus/runtime/handle.h"
#include "bus/runtime/handle_table.h"

namespace evs::runtime {
namespace {

bool is_on_bus(const Handle* inside, const void* bus) { return inside->bus == bus; }

}  // namespace

int32_t Bus::await_rejoin(uint64_t timeout_ns) {
  const uint32_t attempts = rejoin_attempts_.load(std::memory_order_acquire);
  rejoin_wanted_.store(1, std::memory_order_release);
  host_->wake();
  const uint64_t started = monotonic_ns();
  while (rejoin_attempts_.load(std::memory_order_acquire) == attempts) {
    const uint64_t waited = monotonic_ns() - started;
    if (waited >= timeout_ns) return EVS_P_AGAIN;
    if (gate.load(std::memory_order_acquire) == kGateClosed) return EVS_P_CLOSED;
    futex_wait(rejoin_attempts_, attempts, std::min<uint64_t>(timeout_ns - waited, 100'000'000));
  }
  return rejoin_status_.load(std::memory_order_acquire);
}

void Bus::keep_everybody_out() {
  uint32_t open = gate.load(std::memory_order_acquire);
  do {
    if (open == kGateClosed) return;
  } while (!gate.compare_exchange_weak(open, kGateExclusive, std::memory_order_seq_cst));
  presence::wait_until_outside(&is_on_bus, this);
  for (Handle* handle : handles_)
    while (handle->guests.load(std::memory_order_seq_cst) != 0) sched_yield();
}

void Bus::lower_gate(uint32_t to) {
  uint32_t raised = gate.load(std::memory_order_acquire);
  do {
    if (raised == kGateClosed) return;
  } while (!gate.compare_exchange_weak(raised, to, std::memory_order_seq_cst));
  handle_table::g_gate_moves.fetch_add(1, std::memory_order_release);
  futex_wake(handle_table::g_gate_moves, std::numeric_limits<int>::max());
}

void Bus::rejoin() {
  rejoin_wanted_.store(0, std::memory_order_release);
  keep_everybody_out();
  const evs_ordered_member old_self = self_;
  char text[512] = "";
  evs_error_text error{text, sizeof text};
  uint64_t lost = 0;
  const int32_t status = ops()->rejoin(transport(), &lost, &error);
  evs_ordered_member now{};
  if (status == EVS_P_OK) ops()->self(transport(), &now);
  if (status == EVS_P_OK && now.nodeid == old_self.nodeid && now.incarnation == old_self.incarnation) {
    // A thread that heard of the expulsion before the last rejoin has asked after it: there is nothing to tell.
  } else if (status == EVS_P_OK) {
    self_ = now;
    expulsions_.fetch_add(1, std::memory_order_relaxed);
    lost_messages_.fetch_add(lost, std::memory_order_relaxed);
    groups_.forget_all();
    deferred_.clear();
    for (Handle* handle : handles_) handle->rejoined(old_self);
    joining_again_ = !join_again();
    // What the others have written over since cannot be counted any more.
    log_->warning("expelled", "this process was expelled because it did not read for slow_reader_timeout, and has joined again; " +
                                  (lost != 0 ? "at least " + std::to_string(lost) : std::string("an unknown number of")) +
                                  " messages were lost to it");
  } else {
    log_->warning("expelled", std::string("this process was expelled and cannot join again yet: ") +
                                  (text[0] != '\0' ? text : text_of_status(status)));
    if (status == EVS_P_CLOSED || status == EVS_P_INTERNAL || status == EVS_P_CORRUPT) close("the transport cannot be joined again");
  }
  lower_gate(joining_again_ ? kGateSendsClosed : kGateOpen);
  rejoin_status_.store(status, std::memory_order_relaxed);
  rejoin_attempts_.fetch_add(1, std::memory_order_release);
  futex_wake(rejoin_attempts_, std::numeric_limits<int>::max());
}

bool Bus::join_again() {
  for (Handle* handle : handles_)
    if (!handle->join_again()) return false;
  if (joining_again_) {
    joining_again_ = false;
    lower_gate(kGateOpen);
  }
  return true;
}

}  // namespace evs::runtime
