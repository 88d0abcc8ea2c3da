// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle_reader.cc - finding, judging and copying frames; all under the scan lock.
//
// judge() sees every frame in order, before it is copied: this is where a group becomes effective and ceases to be. The
// bytes it sees may be torn when this process is being expelled; what it concludes then is thrown away with the whole
// reader's state (Handle::rejoined), so it needs to be safe, not right. It may be asked twice about one frame: records
// of ours are numbered and applied once.
#include <mutex>
#include <utility>

#include "bus/runtime/handle.h"
#include "bus/runtime/no_cancel.h"

namespace evs::runtime {

using groups::ControlRecord;
using groups::ControlType;
using groups::GroupKey;

namespace {

constexpr size_t kMostPutOff = 256;

const GroupKey* keys_of(const evs_frame& frame) { return reinterpret_cast<const GroupKey*>(frame.groups); }

}  // namespace

inline int32_t Handle::judge_message(const evs_frame& frame) const {
  return groups_.wants(keys_of(frame), frame.group_count) ? EVS_WANT_TAKE : EVS_WANT_SKIP;
}

int32_t Handle::want(void* self, const evs_frame* frame) {
  const auto& handle = *static_cast<Handle*>(self);
  if (__builtin_expect(frame->kind == EVS_FRAME_MESSAGE && !handle.stop_here_, 1)) return handle.judge_message(*frame);
  return static_cast<Handle*>(self)->judge(*frame);
}

int32_t Handle::judge(const evs_frame& frame) {
  if (stop_here_) return EVS_WANT_STOP;
  if (frame.kind == EVS_FRAME_MEMBERSHIP) return EVS_WANT_TAKE;
  if (frame.kind == EVS_FRAME_MESSAGE) return judge_message(frame);
  if (frame.kind == EVS_FRAME_GROUPS) return wants_group_changes() ? judge_message(frame) : EVS_WANT_SKIP;
  return frame.kind == EVS_FRAME_CONTROL ? judge_control(frame) : EVS_WANT_SKIP;
}

bool Handle::is_own(const evs_frame& frame, const ControlRecord& record) const {
  const evs_ordered_member& self = bus->self();
  return record.handle == id && frame.nodeid == self.nodeid && frame.incarnation == self.incarnation;
}

int32_t Handle::judge_control(const evs_frame& frame) {
  ControlRecord record;
  if (!groups::decode(frame.data, frame.size, record)) return EVS_WANT_SKIP;
  const GroupKey* keys = keys_of(frame);
  if (!is_own(frame, record)) {
    return wants_group_changes() && groups_.wants(keys, frame.group_count) ? EVS_WANT_TAKE : EVS_WANT_SKIP;
  }
  if (record.serial > serial_passed_) {
    serial_passed_ = record.serial;
    for (uint32_t i = 0; i < frame.group_count; ++i) {
      if (record.type == ControlType::join) {
        groups_.passed_join(keys[i]);
      } else {
        groups_.passed_leave(keys[i]);
        leave_passed_ = true;
      }
    }
  }
  if (!wants_group_changes()) return EVS_WANT_SKIP;
  // Who was in the group at this place is asked when the record's turn comes. The transport remembers those who went only until
  // our cursor has passed their going: so it stays here until then.
  stop_here_ = record.type == ControlType::join;
  return EVS_WANT_TAKE;
}

// The service thread's: passes what is not for this handle and takes nothing.
int32_t Handle::want_to_pass(void* self, const evs_frame* frame) {
  auto& handle = *static_cast<Handle*>(self);
  if (frame->kind == EVS_FRAME_CONTROL && handle.wants_group_changes()) {
    ControlRecord record;
    if (groups::decode(frame->data, frame->size, record) && handle.is_own(*frame, record)) return EVS_WANT_STOP;
  }
  if (frame->kind == EVS_FRAME_MEMBERSHIP) return EVS_WANT_STOP;
  return handle.judge(*frame) == EVS_WANT_SKIP ? EVS_WANT_SKIP : EVS_WANT_STOP;
}

void Handle::pass_unwanted(uint64_t least_lag, Batch& passed) {
  if (!scan_lock_.try_lock()) return;  // its own thread is reading
  const std::lock_guard guard(scan_lock_, std::adopt_lock);
  if (!watching_ || ops->lag(cursor) < least_lag) return;
  evs_read request{};
  request.struct_size = sizeof request;
  passed.offer(request);
  request.want = &Handle::want_to_pass;
  request.context = this;
  stop_here_ = false;
  ops->read(cursor, &request);  // whatever it answers, the next read of its own learns too
  drop_passed_groups();
  // Its thread may be about to sleep: what it looked at was not there yet, and what rang is passed.
  if ((dirty_.load(std::memory_order_acquire) & (kToken | kMembership)) != 0) notify();
}

// Behind what was read and before what will be. Each is told by itself, as if its reader had come by it; of very many, for a reader that does not
// come at all, the last ones are merged.
void Handle::put_off(Token membership) {
  if (tokens_.size() >= kMostPutOff && tokens_.back().kind == Token::Kind::membership) tokens_.back() = std::move(membership);
  else post(std::move(membership));
}

Batch& Handle::batch_to_fill() {
  if (__builtin_expect(batch_->reusable(), 1)) return *batch_;
  for (auto& batch : batches_)
    if (batch->reusable()) return *batch;
  batches_.push_back(std::make_unique<Batch>());  // a callback dispatches: its message lies in the others
  return *batches_.back();
}

int32_t Handle::read_once(Batch& batch) {
  evs_read request;
  request.struct_size = sizeof request;
  request.want = &Handle::want;
  request.context = this;
  request.reserved = 0;
  request.count = 0;
  request.needed = 0;
  for (;;) {
    batch.settle();
    batch.offer(request);
    stop_here_ = false;
    const int32_t status = ops->read(cursor, &request);
    if (__builtin_expect(status == EVS_P_TOO_BIG, 0)) {
      batch.grow(request.needed);
      continue;
    }
    batch.filled(status == EVS_P_OK ? request.count : 0);
    batch_ = &batch;
    if (__builtin_expect(leave_passed_, 0)) drop_passed_groups();
    return status;
  }
}

Handle::Refill Handle::read_more() {
  switch (read_once(batch_to_fill())) {
    case EVS_P_OK:
      return Refill::more;
    case EVS_P_AGAIN: {
      if (!fd_wanted_.load(std::memory_order_relaxed)) return Refill::empty;
      const NoCancel not_in_here;
      // Armed means that the next frame makes the descriptor readable; else there is one already.
      if (ops->arm(cursor) != EVS_P_AGAIN) return Refill::more;
      // It may have taken away the ring of a change that was marked after our last look: that is looked for once more.
      if ((dirty_.load(std::memory_order_acquire) & (kToken | kMembership)) == 0) return Refill::empty;
      ops->ring(cursor);  // one event may be called back of two
      return Refill::more;
    }
    case EVS_P_EXPELLED:
      return Refill::expelled;
    default:
      return Refill::closed;
  }
}

}  // namespace evs::runtime
