// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/call.cc - the rare ways in: no record left, a raised gate.
#include "bus/runtime/call.h"

namespace evs::runtime {
namespace {

constexpr uint64_t kGateLookNs = 20'000'000;  // a rejoin tells when it is through; this is for a word that changed hands

}  // namespace

bool Call::enter_after(uint32_t gate) {
  if (gate == kGateOpen) return refuse(CS_ERR_BAD_HANDLE);
  if (gate == kGateClosed) return refuse(CS_ERR_LIBRARY);
  // In a handler that interrupted a call of its thread, waiting would wait for the interrupted.
  if (if_closed_ == IfClosed::answer || depth_ > 0) return refuse(CS_ERR_TRY_AGAIN);
  HandleSlot& slot = handle_table::slot_of(id_);
  // The Bus may go while we sleep; its gate must not be touched then. So only its value is waited for, in slices, while
  // the number is valid, and each look is made from inside.
  futex_wait(handle_table::g_gate_moves, handle_table::g_gate_moves.load(std::memory_order_acquire), kGateLookNs);
  if (slot.tag.load(std::memory_order_acquire) != id_) return refuse(CS_ERR_BAD_HANDLE);
  return enter();
}

bool Call::enter_slowly() {
  HandleSlot& slot = handle_table::slot_of(id_);
  Handle* handle = slot.handle.load(std::memory_order_acquire);
  if (handle == nullptr || id_ == 0) return refuse(CS_ERR_BAD_HANDLE);
  handle->guests.fetch_add(1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // SEEN
  uint32_t gate = kGateOpen;
  if (slot.tag.load(std::memory_order_acquire) == id_) {
    gate = handle->gate->load(std::memory_order_acquire);
    if (gate <= kGateSendsClosed) {
      handle_ = handle;
      gate_ = gate;
      depth_ = 0;
      return true;
    }
  }
  handle->guests.fetch_sub(1, std::memory_order_release);
  return enter_after(gate);
}

int32_t await_rejoin(Call& call, uint64_t timeout_ns) {
  Handle& handle = call.handle();
  Bus& bus = *handle.bus;
  if (call.is_nested()) return EVS_P_AGAIN;  // the interrupted call keeps the service thread out
  // The bus lives while this handle does, and the handle is kept by being counted as a sleeper.
  handle.hold();
  call.leave();
  const int32_t status = bus.await_rejoin(timeout_ns);
  handle.release();
  if (!call.enter()) return EVS_P_AGAIN;
  return status;
}

}  // namespace evs::runtime
