// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/call.h - one call of the application on one handle: looked up, made known, let in.
//
// The constructor enters and the destructor leaves. In between the handle is not closed, and no rejoin takes place; so nothing may
// block inside. Before a callback, a sleep, or the callback lock, one leaves, and asks to enter again afterwards: the
// handle may be gone by then.
#pragma once

#include <cstdint>

#include "bus/runtime/bus.h"
#include "bus/runtime/handle.h"
#include "bus/runtime/handle_table.h"
#include "bus/runtime/presence.h"

namespace evs::runtime {

// How long a call waits for the service thread to join again after an expulsion: one that may block, and one that should not.
inline constexpr uint64_t kRejoinWaitNs = 10'000'000'000, kRejoinMomentNs = 250'000'000;

enum class IfClosed : uint8_t { wait, answer };  // the gate is raised for a rejoin

class Call {
 public:
  explicit Call(evs_handle_t id, IfClosed if_closed = IfClosed::wait) : id_(id), if_closed_(if_closed) { enter(); }
  // Inside already, by the way of evs_mcast_*: this thread's record, nothing interrupted, the gate open.
  Call(evs_handle_t id, Handle& handle, PresenceRecord& record)
      : id_(id), handle_(&handle), record_(&record), if_closed_(IfClosed::answer) {}
  ~Call() { leave(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool inside() const { return handle_ != nullptr; }
  cs_error_t error() const { return error_; }  // why not inside
  Handle& handle() const { return *handle_; }
  evs_handle_t id() const { return id_; }
  uint32_t gate() const { return gate_; }

  // A signal handler's, in a thread that was inside when the signal came.
  bool is_nested() const { return depth_ > 0; }
  // This thread's own counts on the bus; nullptr: count with Bus::shared_counts.
  SendCounts* counts() const {
    const uint32_t slot = handle_->counted_slot;
    return record_ == nullptr || depth_ > 0 || slot >= kCountedBuses ? nullptr : &record_->sent[slot];
  }

  bool enter() {
    if (handle_ != nullptr) return true;
    HandleSlot& slot = handle_table::slot_of(id_);
    Handle* handle = slot.handle.load(std::memory_order_acquire);
    record_ = presence::record();
    if (__builtin_expect(handle == nullptr || record_ == nullptr, 0)) return enter_slowly();
    depth_ = presence::enter(*record_, handle);
    if (__builtin_expect(depth_ >= kPresenceDepth, 0)) return refuse(CS_ERR_TRY_AGAIN);
    if (__builtin_expect(slot.tag.load(std::memory_order_acquire) == id_ && id_ != 0, 1)) {  // OPEN, SEEN
      gate_ = handle->gate->load(std::memory_order_acquire);
      if (__builtin_expect(gate_ <= kGateSendsClosed, 1)) {
        handle_ = handle;
        return true;
      }
    } else {
      gate_ = kGateOpen;
    }
    presence::leave(*record_, depth_);
    return enter_after(gate_);
  }

  void leave() {
    if (handle_ == nullptr) return;
    if (__builtin_expect(record_ != nullptr, 1)) {
      presence::leave(*record_, depth_);
    } else {
      handle_->guests.fetch_sub(1, std::memory_order_release);
    }
    handle_ = nullptr;
  }

 private:
  bool refuse(cs_error_t why) {
    error_ = why;
    return false;
  }
  bool enter_slowly();
  bool enter_after(uint32_t gate);  // what the gate said; open: the number is not valid

  const evs_handle_t id_;
  Handle* handle_ = nullptr;
  PresenceRecord* record_ = nullptr;
  uint32_t depth_ = 0;
  uint32_t gate_ = kGateOpen;
  cs_error_t error_ = CS_ERR_BAD_HANDLE;
  const IfClosed if_closed_;
};

// The transport said EXPELLED: leaves, waits for an attempt to rejoin, enters again. EVS_P_OK: inside, try again what was to be
// done. Else it was not possible yet, or call.inside() is false and call.error() says why.
int32_t await_rejoin(Call& call, uint64_t timeout_ns);

}  // namespace evs::runtime
