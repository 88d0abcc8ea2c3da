// SPDX-License-Identifier: BSD-3-Clause
// bus/api/send.cc - multicasting: the hot path, and the calls that are made of it.
//
// A send is a presence, a few comparisons, and the transport's append(). No lock, no allocation, no log line, nothing that a
// signal handler may not do. It never waits, but for one thing: when it is the first to learn that this process was expelled,
// it gives the service thread a moment to join again.
#include <cstdint>

#include "bus/api/boundary.h"
#include "bus/api/number.h"
#include "bus/runtime/futex.h"
#include "evs/evs.h"

namespace evs::api {
namespace {

using namespace evs::runtime;

constexpr uint64_t kWaitSliceNs = 20'000'000;  // a handle that is being closed waits for a send that waits for room

struct Outgoing {
  const evs_group* groups;  // nullptr with joined
  size_t group_count;
  const iovec* iov;
  unsigned int iov_count;
  unsigned int guarantee;
  bool joined;
};

bool total_of(const Outgoing& message, size_t& total) {
  size_t sum = 0;
  for (unsigned int i = 0; i < message.iov_count; ++i)
    if (__builtin_add_overflow(sum, message.iov[i].iov_len, &sum)) return false;
  total = sum;
  return true;
}

template <class Which>
void count(const Call& call, Which&& which, uint64_t n) {
  if (SendCounts* mine = call.counts()) {
    SendCounts::add(which(*mine), n);
  } else {
    which(call.handle().bus->shared_counts).fetch_add(n, std::memory_order_relaxed);
  }
}

void count_refused(const Call& call, TryAgain why) {
  count(call, [why](SendCounts& counts) -> auto& { return counts.refused[static_cast<size_t>(why)]; }, 1);
}

// EVS_P_* of the transport; `size` and `group_count` tell what found no room.
int32_t append(const Call& call, evs_append& frame) {
  uint64_t position;
  const Handle& handle = call.handle();
  return handle.ops->append(handle.transport, &frame, &position, nullptr, nullptr);
}

cs_error_t after_failure(Call& call, evs_append& frame, int32_t status);

cs_error_t finish(Call& call, evs_append& frame, int32_t status) {
  if (__builtin_expect(status == EVS_P_OK, 1)) {
    count(call, [](SendCounts& counts) -> auto& { return counts.messages; }, 1);
    count(call, [](SendCounts& counts) -> auto& { return counts.bytes; }, frame.size);
    return CS_OK;
  }
  return after_failure(call, frame, status);
}

cs_error_t after_failure(Call& call, evs_append& frame, int32_t status) {
  if (status == EVS_P_EXPELLED) {
    if (await_rejoin(call, kRejoinMomentNs) == EVS_P_OK && call.inside() && call.gate() == kGateOpen) {
      status = append(call, frame);
      if (status == EVS_P_OK) return finish(call, frame, status);
    }
    if (!call.inside()) return call.error();
  }
  if (status == EVS_P_CLOSED) call.handle().bus->close("the transport has failed");
  if (status == EVS_P_AGAIN || status == EVS_P_NESTED || status == EVS_P_EXPELLED) {
    count_refused(call, status == EVS_P_AGAIN ? TryAgain::full : status == EVS_P_NESTED ? TryAgain::nested : TryAgain::rejoining);
    call.handle().note_no_room(frame.size, frame.group_count);
  }
  return error_of_status(status);
}

// Judges the message and writes down what the transport is to append; false: nothing is to be appended, and `answer` says why.
[[gnu::always_inline]] inline bool describe(const Handle& handle, const Outgoing& message, evs_append& frame, cs_error_t& answer) {
  const auto refuse = [&](cs_error_t why) {
    answer = why;
    return false;
  };
  if (message.guarantee > EVS_TYPE_SAFE || (message.iov == nullptr && message.iov_count > 0)) return refuse(CS_ERR_INVALID_PARAM);
  if (message.joined) {
    const groups::JoinedSnapshot* joined = handle.snapshots.current();
    if (joined == nullptr) return refuse(CS_OK);  // delivered to nobody
    frame.groups = reinterpret_cast<const evs_plugin_group*>(joined->keys.data());
    frame.group_count = static_cast<uint32_t>(joined->keys.size());
    if (__builtin_expect(frame.group_count > handle.groups_limit, 0)) return refuse(CS_ERR_TOO_MANY_GROUPS);
  } else {
    if (message.group_count == 0) return refuse(CS_OK);
    if (message.groups == nullptr) return refuse(CS_ERR_INVALID_PARAM);
    if (message.group_count > handle.groups_limit) return refuse(CS_ERR_TOO_MANY_GROUPS);
    frame.groups = reinterpret_cast<const evs_plugin_group*>(message.groups);
    frame.group_count = static_cast<uint32_t>(message.group_count);
  }
  if (__builtin_expect(message.iov_count == 1, 1)) {
    frame.size = message.iov->iov_len;
  } else if (!total_of(message, frame.size)) {
    return refuse(CS_ERR_TOO_BIG);
  }
  if (__builtin_expect(frame.size > handle.message_limit, 0)) return refuse(CS_ERR_TOO_BIG);
  frame.struct_size = sizeof frame;
  frame.kind = EVS_FRAME_MESSAGE;
  frame.guarantee = message.guarantee;
  frame.iov = message.iov;
  frame.iov_count = message.iov_count;
  frame.reserved = 0;
  return true;
}

cs_error_t send(Call& call, const Outgoing& message, evs_append* refused = nullptr) {
  if (__builtin_expect(!call.inside(), 0)) return call.error();
  Handle& handle = call.handle();
  evs_append frame;
  cs_error_t answer;
  if (!describe(handle, message, frame, answer)) return answer;
  if (refused != nullptr) *refused = frame;
  if (__builtin_expect(call.gate() != kGateOpen, 0)) {  // our groups are being joined again
    count_refused(call, TryAgain::rejoining);
    handle.note_no_room(frame.size, frame.group_count);
    return CS_ERR_TRY_AGAIN;
  }
  return finish(call, frame, append(call, frame));
}

[[gnu::noinline, gnu::cold]] cs_error_t send_slowly(evs_handle_t id, const Outgoing& message) {
  Call call(id, IfClosed::answer);
  return send(call, message);
}

[[gnu::noinline, gnu::cold]] cs_error_t refused_quickly(evs_handle_t id, Handle& handle, PresenceRecord& record, evs_append& frame,
                                                        int32_t status) {
  Call call(id, handle, record);
  return after_failure(call, frame, status);
}

// What Call does, for the case that nearly every send is: a thread that was here before and is not inside, a valid number, an open gate. The
// rest takes the long way. (A Call lives in memory, because others leave and enter it; that is a third of a send.)
[[gnu::always_inline]] inline cs_error_t send_quickly(evs_handle_t id, const Outgoing& message) {
  HandleSlot& slot = handle_table::slot_of(id);
  Handle* const handle = slot.handle.load(std::memory_order_acquire);
  PresenceRecord* const record = presence::t_record;
  if (__builtin_expect(handle == nullptr || record == nullptr || record->depth.load(std::memory_order_relaxed) != 0, 0))
    return send_slowly(id, message);
  presence::enter_at(*record, 0, handle);
  if (__builtin_expect(slot.tag.load(std::memory_order_acquire) != id || id == 0 ||  // OPEN, SEEN
                           handle->gate->load(std::memory_order_acquire) != kGateOpen || handle->counted_slot >= kCountedBuses, 0)) {
    presence::leave(*record, 0);
    return send_slowly(id, message);
  }
  evs_append frame;
  cs_error_t answer = CS_OK;
  if (__builtin_expect(describe(*handle, message, frame, answer), 1)) {
    uint64_t position;
    const int32_t status = handle->ops->append(handle->transport, &frame, &position, nullptr, nullptr);
    if (__builtin_expect(status != EVS_P_OK, 0)) return refused_quickly(id, *handle, *record, frame, status);
    SendCounts& counts = record->sent[handle->counted_slot];
    SendCounts::add(counts.messages, 1);
    SendCounts::add(counts.bytes, frame.size);
  }
  presence::leave(*record, 0);
  return answer;
}

Outgoing joined_message(unsigned int guarantee, const iovec* iov, unsigned int iov_count) {
  return Outgoing{nullptr, 0, iov, iov_count, guarantee, true};
}

cs_error_t send_and_wait(Call& call, const Outgoing& message, uint64_t timeout_ns) {
  if (!call.inside()) return call.error();
  const uint64_t started = monotonic_ns();
  for (;;) {
    evs_append refused{};
    const cs_error_t sent = send(call, message, &refused);
    if (sent != CS_ERR_TRY_AGAIN) return sent;
    if (call.inside() && call.handle().in_own_callback()) return CS_ERR_BUSY;
    const uint64_t waited = monotonic_ns() - started;
    if (waited >= timeout_ns) return CS_ERR_TIMEOUT;
    const uint64_t slice = std::min(timeout_ns - waited, kWaitSliceNs);
    if (!call.inside() && !call.enter()) return call.error();
    Handle& handle = call.handle();
    if (call.gate() == kGateOpen) {
      handle.ops->wait_room(handle.transport, refused.size, refused.group_count, slice);
    } else {
      call.leave();
      std::atomic<uint32_t>& moves = handle_table::g_gate_moves;
      futex_wait(moves, moves.load(std::memory_order_acquire), slice);
    }
    // In slices, and out of the call between them: whoever closes the handle or rejoins gets his turn.
    call.leave();
    if (!call.enter()) return call.error();
  }
}

}  // namespace
}  // namespace evs::api

using namespace evs::api;

extern "C" {

cs_error_t evs_mcast_joined(evs_handle_t handle, evs_guarantee_t guarantee, const struct iovec* iovec,
                            unsigned int iov_len) {
  return send_quickly(handle, joined_message(static_cast<unsigned int>(number_of(guarantee)), iovec, iov_len));
}

cs_error_t evs_mcast_groups(evs_handle_t handle, evs_guarantee_t guarantee, const struct evs_group* groups,
                            size_t group_entries, const struct iovec* iovec, unsigned int iov_len) {
  return send_quickly(handle, Outgoing{groups, group_entries, iovec, iov_len, static_cast<unsigned int>(number_of(guarantee)), false});
}

cs_error_t evs_mcast_wait(evs_handle_t handle, evs_guarantee_t guarantee, const struct evs_group* groups,
                          size_t group_entries, const struct iovec* iovec, unsigned int iov_len, uint64_t timeout_ns) {
  evs::runtime::Call call(handle);
  const bool joined = groups == nullptr && group_entries == 0;
  const Outgoing message{groups, group_entries, iovec, iov_len, static_cast<unsigned int>(number_of(guarantee)), joined};
  return guarded(call, [&](evs::runtime::Handle&) { return send_and_wait(call, message, timeout_ns); });
}

cs_error_t evs_mcast_batch(evs_handle_t handle, const evs_outgoing_t* messages, size_t entries, size_t* sent) {
  if (sent != nullptr) *sent = 0;
  evs::runtime::Call call(handle, evs::runtime::IfClosed::answer);
  if (!call.inside()) return call.error();
  if (messages == nullptr && entries > 0) return CS_ERR_INVALID_PARAM;
  for (size_t i = 0; i < entries; ++i) {
    const evs_outgoing_t& m = messages[i];
    const bool joined = m.groups == nullptr && m.group_entries == 0;
    const cs_error_t answer =
        send(call, Outgoing{m.groups, m.group_entries, m.iovec, m.iov_len, static_cast<unsigned int>(m.guarantee), joined});
    if (answer != CS_OK) return answer;
    if (sent != nullptr) *sent = i + 1;
  }
  return CS_OK;
}

}  // extern "C"
