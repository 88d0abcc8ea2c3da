// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/networked_reading.cc - from records of the order ring to the frames that a handle judges and reads.
//
// A message or a control record is a frame with another sender in it. A change is one record and up to three frames, so it is read alone: what comes before it in a
// call ends that call.
#include <cstring>

#include "bus/groups/control_record.h"
#include "bus/runtime/uplink/networked.h"

namespace evs::runtime::uplink {
namespace {

constexpr size_t kMostStates = 4096;
constexpr size_t kAlign = 64;

// One call of read().
struct Reading {
  evs_read* asked;
  bool took = false;            // anything
  bool alone = false;           // a change was taken: nothing more in this call
  bool takes_configurations = false, takes_groups = false;
  size_t needed = 0;            // of the buffer, for the change that comes first
};

// Of a record that may be torn, if this process is being expelled: judged, not believed.
bool header_of(const evs_frame& record, OrderHeader& header) {
  if (record.kind == EVS_FRAME_MEMBERSHIP || record.size < sizeof header) return false;
  std::memcpy(&header, record.data, sizeof header);
  return true;
}

// `record` as its reader is to see it; false: it is nothing to him.
bool as_frame(const OrderHeader& header, evs_frame& record) {
  record.nodeid = header.node;
  record.incarnation = header.incarnation;
  record.data = static_cast<const std::byte*>(record.data) + sizeof header;
  record.size -= sizeof header;
  if (header.tells == Tells::message) {
    record.kind = EVS_FRAME_MESSAGE;
    record.position = header.place;
    return true;
  }
  if (header.tells != Tells::control || record.size < groups::kControlBytes) return false;
  record.kind = EVS_FRAME_CONTROL;
  record.size = groups::kControlBytes;
  return true;
}

// What the frames of a change take beside its record.
size_t room_for_change(const evs_frame& record) { return record.size + size_t{record.group_count} * sizeof(evs_plugin_group) + 3 * kAlign + 3 * record.size; }

int32_t want_change(Reading& reading, const OrderHeader& header, const evs_frame& record) {
  if (reading.took) return EVS_WANT_STOP;
  if (room_for_change(record) > reading.asked->buffer_size) {
    reading.needed = room_for_change(record);
    return EVS_WANT_STOP;
  }
  evs_frame frame = record;
  frame.nodeid = 0;
  frame.data = nullptr;
  frame.size = 0;
  if (header.configurations != 0) {
    frame.kind = EVS_FRAME_MEMBERSHIP;
    const int32_t answer = reading.asked->want(reading.asked->context, &frame);
    if (answer == EVS_WANT_STOP) return answer;
    reading.takes_configurations = answer == EVS_WANT_TAKE;
  }
  if (header.group_changes != 0) {
    frame.kind = EVS_FRAME_GROUPS;
    const int32_t answer = reading.asked->want(reading.asked->context, &frame);
    if (answer == EVS_WANT_STOP) return answer;
    reading.takes_groups = answer == EVS_WANT_TAKE;
  }
  reading.alone = reading.took = reading.takes_configurations || reading.takes_groups;
  return reading.alone ? EVS_WANT_TAKE : EVS_WANT_SKIP;
}

int32_t want(void* context, const evs_frame* record) {
  Reading& reading = *static_cast<Reading*>(context);
  if (reading.alone) return EVS_WANT_STOP;
  OrderHeader header;
  if (!header_of(*record, header)) return EVS_WANT_SKIP;
  if (header.tells == Tells::change) return want_change(reading, header, *record);
  evs_frame frame = *record;
  if (!as_frame(header, frame)) return EVS_WANT_SKIP;
  const int32_t answer = reading.asked->want(reading.asked->context, &frame);
  reading.took |= answer == EVS_WANT_TAKE;
  return answer;
}

std::byte* aligned(std::byte* at) { return reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(at) + kAlign - 1) / kAlign * kAlign); }

// The one record that was taken becomes its frames, which lie behind it in the caller's buffer.
void expand_change(const Reading& reading) {
  evs_read& request = *reading.asked;
  const evs_frame record = request.frames[0];
  const auto* data = static_cast<const std::byte*>(record.data);
  request.count = 0;
  ChangeTold change;
  if (!decode(Bytes(data, record.size).subspan(sizeof(OrderHeader)), change)) return;
  std::byte* at = aligned(const_cast<std::byte*>(data) + record.size);
  const std::byte* end = static_cast<std::byte*>(request.buffer) + request.buffer_size;
  evs_frame frame{};
  frame.position = record.position;
  for (const ProcessesInForce& configuration : change.configurations) {
    size_t bytes = 0;
    if (!reading.takes_configurations || !write_membership(configuration, record.position, at, static_cast<size_t>(end - at), &bytes)) continue;
    frame.kind = EVS_FRAME_MEMBERSHIP;
    frame.data = at;
    frame.size = bytes;
    request.frames[request.count++] = frame;
    at = aligned(at + bytes);
  }
  const size_t bytes = change.groups.size() * sizeof(evs_plugin_group_change);
  if (!reading.takes_groups || bytes > static_cast<size_t>(end - at)) return;
  frame.kind = EVS_FRAME_GROUPS;
  frame.data = at;
  frame.size = bytes;
  for (const GroupChange& one : change.groups) {
    const evs_plugin_group_change told{one.group, {one.who.node, one.who.pid, one.who.incarnation, one.joined ? EVS_MEMBER_JOINED : EVS_MEMBER_LEFT, 0}};
    std::memcpy(at, &told, sizeof told);
    at += sizeof told;
  }
  request.frames[request.count++] = frame;
}

}  // namespace

int32_t Networked::open_cursor(NetworkedCursor*& out) {
  evs_cursor* inner = nullptr;
  const int32_t status = order_->ops().cursor_open(order_->self(), &inner);
  if (status != EVS_P_OK) return status;
  const int32_t interested = order_->ops().interest_add(inner, &kChangesGroup, 1);
  if (interested != EVS_P_OK) {
    order_->ops().cursor_close(inner);
    return interested;
  }
  out = new NetworkedCursor(*this, inner);
  return EVS_P_OK;
}

void Networked::note_state(uint64_t position, const evs_frame& control, GroupState state) {
  if (state.groups.size() != control.group_count) return;
  std::vector<State> states;
  for (uint32_t i = 0; i < control.group_count; ++i) states.push_back({control.groups[i], std::move(state.groups[i])});
  const std::lock_guard guard(states_mutex_);
  states_[position] = std::move(states);
  if (states_.size() > kMostStates) states_.erase(states_.begin());  // of a handle that never asked
}

int32_t Networked::members_of(const evs_plugin_group& group, uint64_t position, void (*visit)(void*, const evs_ordered_member*), void* context) {
  // Who is in a group is known where this process joined it, and there alone: the gateway has the rest, and its host's other processes do not. Each handle goes on from
  // there by itself (Handle::members_told).
  if (position == UINT64_MAX) return EVS_P_NOT_SUPPORTED;
  const std::lock_guard guard(states_mutex_);
  const auto found = states_.find(position);
  if (found == states_.end()) return EVS_P_OK;
  for (const State& state : found->second) {
    if (std::memcmp(&state.group, &group, sizeof group) != 0) continue;
    for (const Resident& who : state.members) {
      const evs_ordered_member member{who.node, who.pid, who.incarnation, EVS_MEMBER_STAYS, 0};
      visit(context, &member);
    }
  }
  return EVS_P_OK;
}

int32_t NetworkedCursor::watch(void* buffer, size_t size, size_t* needed) {
  const LocalRing& order = bus.order();
  std::vector<uint64_t> scratch(sizeof(evs_membership) / sizeof(uint64_t) * 8);
  for (;;) {
    size_t bytes = 0;
    const int32_t status = order.ops().watch(inner, scratch.data(), scratch.size() * sizeof(uint64_t), &bytes);
    if (status == EVS_P_TOO_BIG) {
      scratch.resize(bytes / sizeof(uint64_t) + 1);
      continue;
    }
    if (status == EVS_P_EXPELLED) bus.note_expelled();
    if (status != EVS_P_OK) return status;
    break;
  }
  // What was told before this place is on the board by now, or a change is on its way and says so.
  ProcessesInForce configuration;
  uint64_t position = 0;
  if (bus.board().is_changing() || !bus.board().read(configuration, position) || !bus.is_in(configuration)) {
    if (!watches_) order.ops().park(inner);
    return EVS_P_AGAIN;
  }
  watches_ = true;
  return write_membership(configuration, position, buffer, size, needed) ? EVS_P_OK : EVS_P_TOO_BIG;
}

void NetworkedCursor::park() {
  watches_ = false;
  bus.order().ops().park(inner);
}

int32_t NetworkedCursor::read(evs_read& request) {
  Reading reading{&request};
  evs_read inner_request = request;
  inner_request.want = &want;
  inner_request.context = &reading;
  const int32_t status = bus.order().ops().read(inner, &inner_request);
  request.count = inner_request.count;
  request.needed = inner_request.needed;
  if (status == EVS_P_EXPELLED) bus.note_expelled();
  if (reading.needed != 0 && request.count == 0) {
    request.needed = reading.needed;
    return EVS_P_TOO_BIG;
  }
  if (status != EVS_P_OK) return status;
  if (reading.alone) {
    expand_change(reading);
    return EVS_P_OK;
  }
  for (uint32_t i = 0; i < request.count; ++i) {
    evs_frame& frame = request.frames[i];
    OrderHeader header;
    if (!header_of(frame, header)) continue;
    const Bytes whole(static_cast<const std::byte*>(frame.data), frame.size);
    as_frame(header, frame);
    if (frame.kind != EVS_FRAME_CONTROL || whole.size() <= sizeof header + groups::kControlBytes) continue;
    GroupState state;
    if (decode(whole.subspan(sizeof header + groups::kControlBytes), state)) bus.note_state(frame.position, frame, std::move(state));
  }
  return EVS_P_OK;
}

}  // namespace evs::runtime::uplink
