// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/networked_sending.cc - what this process says goes into the outbox, where the gateway takes it from.
#include <alloca.h>

#include <algorithm>

#include "bus/runtime/uplink/networked.h"

namespace evs::runtime::uplink {
namespace {

constexpr uint32_t kMostPieces = 1024;  // of one append: they are put side by side on the stack, because a signal handler may send

// What a message takes of the outbox beside its bytes.
size_t beside(uint32_t group_count) { return sizeof(OutboxHeader) + kWireHeaderBytes + size_t{group_count} * sizeof(evs_plugin_group); }

}  // namespace

OutboxHeader Networked::header(Ask ask, uint32_t guarantee) const { return {ask, guarantee, identity_.node, identity_.pid, identity_.incarnation}; }

int32_t Networked::append(const evs_append& frame, uint64_t* position, void (*before)(void*, uint64_t), void* context) {
  if (expelled_.load(std::memory_order_acquire)) return EVS_P_EXPELLED;
  if (frame.size > message_limit_ || frame.iov_count > kMostPieces) return EVS_P_TOO_BIG;
  const bool is_control = frame.kind == EVS_FRAME_CONTROL;
  OutboxHeader head = header(is_control ? Ask::control : Ask::message, frame.guarantee);
  std::byte wire[kWireHeaderBytes];
  encode_wire_header(is_control ? Carries::control : Carries::message, frame.group_count, wire);
  auto* pieces = static_cast<iovec*>(alloca((frame.iov_count + 3) * sizeof(iovec)));
  pieces[0] = {&head, sizeof head};
  pieces[1] = {wire, sizeof wire};
  pieces[2] = {const_cast<evs_plugin_group*>(frame.groups), frame.group_count * sizeof(evs_plugin_group)};
  for (uint32_t i = 0; i < frame.iov_count; ++i) pieces[3 + i] = frame.iov[i];
  evs_append record{};
  record.struct_size = sizeof record;
  record.kind = EVS_FRAME_MESSAGE;
  record.guarantee = frame.guarantee;
  record.groups = &kOutboxGroup;
  record.group_count = 1;
  record.iov = pieces;
  record.iov_count = frame.iov_count + 3;
  record.size = beside(frame.group_count) + frame.size;
  return outbox_->ops().append(outbox_->self(), &record, position, before, context);
}

int32_t Networked::ask(Ask what) {
  OutboxHeader head = header(what, 0);
  const iovec piece{&head, sizeof head};
  evs_append record{};
  record.struct_size = sizeof record;
  record.kind = EVS_FRAME_MESSAGE;
  record.groups = &kOutboxGroup;
  record.group_count = 1;
  record.iov = &piece;
  record.iov_count = 1;
  record.size = sizeof head;
  uint64_t position = 0;
  return outbox_->ops().append(outbox_->self(), &record, &position, nullptr, nullptr);
}

// The bell of the outbox rings the service thread, which rings those who asked.
int32_t Networked::room(NetworkedCursor* cursor, size_t size, uint32_t group_count) {
  const std::lock_guard guard(room_mutex_);
  const size_t bytes = beside(group_count) + size;
  const int32_t status = outbox_->ops().room(outbox_->self(), cursor == nullptr ? nullptr : room_bell_, bytes, 1);
  if (status == EVS_P_AGAIN && cursor != nullptr) want_room_[cursor] = bytes;
  if (cursor != nullptr) ask_for_least();
  return status;
}

// They share one bell, which stands for one wish: the smallest. Answered for one of them, it would be silent for the others.
void Networked::ask_for_least() {
  while (!want_room_.empty()) {
    const auto least = std::min_element(want_room_.begin(), want_room_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (outbox_->ops().room(outbox_->self(), room_bell_, least->second, 1) == EVS_P_AGAIN) return;
    order_->ops().ring(least->first->inner);
    order_->ops().wake(least->first->inner);
    want_room_.erase(least);
  }
}

int32_t Networked::wait_room(size_t size, uint32_t group_count, uint64_t timeout_ns) {
  return outbox_->ops().wait_room(outbox_->self(), beside(group_count) + size, 1, timeout_ns);
}

void Networked::forget_waiting(NetworkedCursor* cursor) {
  const std::lock_guard guard(room_mutex_);
  want_room_.erase(cursor);
}

// The bell rang: room() asked for that, of each that waits. Asked again without it, the ring would wake this thread, which would ask again.
void Networked::ring_who_waits_for_room() {
  const std::lock_guard guard(room_mutex_);
  outbox_->ops().arm(room_bell_);  // silences it: also when who waited has given up since
  ask_for_least();
}

}  // namespace evs::runtime::uplink
