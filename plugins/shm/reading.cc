// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/reading.cc - reading records at a cursor.
//
// One call reads a batch: find, ask whether it is wanted, copy out; then one fence and one look at our own slot's word tell whether the
// ring was held for us all the while (an expelled process's ring is reused under it: then nothing of the batch counts); only then
// the cursor moves. The callbacks come later, from the copies: a long callback holds no ring.
//
// The gateway's reader (role_) hears whoever wrote, member or not, and leaves memberships to membership(). It is held by the segment's pin and not by its cell.
#include <string.h>

#include <algorithm>

#include "plugins/shm/cursor.h"
#include "shm/crash_point.h"
#include "shm/record.h"

namespace evs::plugin_shm {

using shm::Fold;
using shm::Kind;
using shm::Peek;
using shm::RecordView;

namespace {

constexpr size_t kAlign = 32;

size_t align_up(size_t n) { return (n + kAlign - 1) & ~(kAlign - 1); }

// Small ones in whole 32-byte steps, without a call: a record's bytes behind its header are a multiple of 32, and so is the room taken here.
void copy_out(unsigned char* to, const unsigned char* from, size_t bytes) {
  if (bytes > 256) {
    memcpy(to, from, bytes);
    return;
  }
  for (size_t i = 0; i < bytes; i += kAlign) memcpy(to + i, from + i, kAlign);
}

constexpr int32_t kNoRoom = -1;
constexpr size_t kBatchBytes = 16 << 10;

// Measured (docs/performance.md): too short takes the lines from the sender, too long adds latency when it stops.
constexpr int kPauses = 64;

// One in many. Its sender's clock is ours; what an expelled process read may be any number.
[[gnu::noinline, gnu::cold]] void note_delivery(Transport& transport, uint32_t guarantee, uint64_t sent_ns) {
  if (!transport.parameters().histograms) return;
  if (const uint64_t now = monotonic_ns(); now >= sent_ns) transport.took(shm::for_guarantee(shm::Histogram::delivery, guarantee), now - sent_ns);
}

}  // namespace

// It slept, and has something now.
[[gnu::noinline, gnu::cold]] void Cursor::note_rung() {
  slept_.store(false, std::memory_order_relaxed);
  const uint64_t rung_ns = cell().rung_ns.exchange(0, std::memory_order_relaxed), now = monotonic_ns();
  if (rung_ns != 0 && now >= rung_ns && transport.parameters().histograms) transport.took(shm::Histogram::wake_up, now - rung_ns);
}

// Is there a record, or anything else that read() has to say?
//
// A consumer that polls on the producer's heels takes each cache line away from it as it is written. A process that only reads, and
// finds nothing, looks away for a moment. One that has sent since it last heard from others waits for an answer: it does not look
// away, and asks for the record's second line along with the first.
int32_t Cursor::pending() const {
  const uint64_t position = position_.load(std::memory_order_relaxed);
  if (!transport.member()) return 1;
  if (position == 0) return 0;
  const shm::Segment& segment = transport.segment();
  if (segment.committed(position)) return 1;
  if (transport.awaits_answer()) {
    __builtin_prefetch(segment.at(position + shm::kUnit));
  } else if (empty_looks_.load(std::memory_order_relaxed) == 0) {
    // The look that ends a dispatch: its application may be about to answer what it just read.
    empty_looks_.store(1, std::memory_order_relaxed);
  } else {
    for (int i = 0; i < kPauses; ++i) __builtin_ia32_pause();
  }
  return 0;
}

[[gnu::always_inline]] inline int32_t Cursor::take_message(evs_read& request, uint64_t position, const RecordView& record, size_t& used) {
  const size_t bytes = size_t{record.group_count} * shm::kGroupBytes + record.size;
  if (used + align_up(bytes) > request.buffer_size) {
    // Not even asked for when others were taken already: it is asked for once, in the call that can take it.
    if (request.count != 0) return kNoRoom;
  }
  // Written where it will stay: a copy of a struct that was just filled field by field waits for its stores.
  evs_frame& frame = request.frames[request.count];
  frame.kind = record.kind == Kind::message ? EVS_FRAME_MESSAGE : EVS_FRAME_CONTROL;
  frame.nodeid = record.slot + 1u;
  frame.position = position;
  frame.incarnation = record.generation;
  frame.groups = reinterpret_cast<const evs_plugin_group*>(record.groups);
  frame.data = record.data;
  frame.size = record.size;
  frame.group_count = record.group_count;
  frame.guarantee = record.guarantee;
  const int32_t answer = request.want(request.context, &frame);
  if (answer != EVS_WANT_TAKE) return answer;
  if (align_up(bytes) > request.buffer_size) {
    request.needed = align_up(bytes);
    return kNoRoom;
  }
  unsigned char* to = static_cast<unsigned char*>(request.buffer) + used;
  copy_out(to, record.groups, bytes);
  frame.groups = reinterpret_cast<const evs_plugin_group*>(to);
  frame.data = to + size_t{record.group_count} * shm::kGroupBytes;
  ++request.count;
  used += align_up(bytes);
  return EVS_WANT_TAKE;
}

int32_t Cursor::take_membership(evs_read& request, const shm::View& view, size_t& used) {
  const size_t bytes = sizeof(evs_membership) + (view.members.size() + view.left.size()) * sizeof(evs_ordered_member);
  if (used + align_up(bytes) > request.buffer_size) {
    if (request.count == 0) request.needed = align_up(bytes);
    return kNoRoom;
  }
  unsigned char* to = static_cast<unsigned char*>(request.buffer) + used;
  transport.write_membership(view, to, bytes, nullptr);
  evs_frame frame{};
  frame.kind = EVS_FRAME_MEMBERSHIP;
  frame.position = view.position;
  frame.data = to;
  frame.size = bytes;
  const int32_t answer = request.want(request.context, &frame);
  if (answer != EVS_WANT_TAKE) return answer;
  request.frames[request.count++] = frame;
  used += align_up(bytes);
  return EVS_WANT_TAKE;
}

int32_t Cursor::read(evs_read& request) {
  request.count = 0;
  request.needed = 0;
  uint64_t position = position_.load(std::memory_order_relaxed);
  if (!transport.member()) return EVS_P_EXPELLED;
  if (position == 0) return EVS_P_AGAIN;
  if (__builtin_expect(role_, 0) && before_pin(position)) return EVS_P_BAD_PARAMETER;
  const shm::Segment& segment = transport.segment();
  const uint64_t start = position;
  size_t used = 0;
  uint64_t outsiders = 0;
  bool damaged = false, blocked = false, from_others = false;
  const uint32_t own = transport.slot();

  // Not more at once than stays in the first-level cache until the callbacks have read it.
  while (request.count < request.frame_room && used < kBatchBytes) {
    RecordView record;
    const Peek found = shm::peek(segment, position, record);
    if (found != Peek::record) {
      blocked = found == Peek::nothing;
      damaged = found == Peek::damaged;
      break;
    }
    if (record.kind == Kind::message || record.kind == Kind::control) {
      // B7: who is no member at this position is not heard.
      if (record.slot < generation_of_.size() && (generation_of_[record.slot] == record.generation || role_)) {
        if (record.slot != own && !from_others) {
          from_others = true;
          if (transport.awaits_answer()) shm::expect_to_append(segment, record.next);
        }
        const int32_t answer = take_message(request, position, record, used);
        if (answer == kNoRoom || answer == EVS_WANT_STOP) break;
        if (__builtin_expect(record.sent_ns != 0 && answer == EVS_WANT_TAKE, 0)) note_delivery(transport, record.guarantee, record.sent_ns);
      } else {
        ++outsiders;
      }
    } else if (record.kind == Kind::membership && !role_) {
      shm::View next = view_;
      const RecordView kept = record;  // so that `record` itself never leaves the registers
      const Fold folded = shm::fold(segment, position, kept, next);
      std::atomic_thread_fence(std::memory_order_acquire);
      if (!transport.member()) return EVS_P_EXPELLED;
      if (folded == Fold::damaged) {
        damaged = true;
        break;
      }
      if (folded == Fold::taken) {
        const int32_t answer = take_membership(request, next, used);
        if (answer == kNoRoom || answer == EVS_WANT_STOP) break;
        transport.publish_view(next);  // B8: before the cursor passes it
        adopt(next);
      }
    }
    position = record.next;
  }

  EVS_CRASH_POINT("read.copied");
  std::atomic_thread_fence(std::memory_order_acquire);
  if (!transport.member()) return EVS_P_EXPELLED;
  if (position != start) {
    position_.store(position, std::memory_order_relaxed);
    shm::CursorCell& c = cell();
    delivered_ += request.count;
    c.delivered.store(delivered_, std::memory_order_relaxed);
    if (__builtin_expect(!role_, 1)) {
      c.position.store(position | 1, std::memory_order_release);  // FREE
      EVS_CRASH_POINT("read.passed");
      transport.bells().ring_room();
    }
    if (__builtin_expect(outsiders != 0, 0)) transport.count(shm::Counter::outsider_records, outsiders);
    blocked_reads_ = 0;
    if (from_others) transport.clear_sent_note();
    empty_looks_.store(0, std::memory_order_relaxed);
    if (__builtin_expect(slept_.load(std::memory_order_relaxed), 0)) note_rung();
    return EVS_P_OK;
  }
  if (damaged) {
    transport.log(EVS_HOST_LOG_ERROR, "segment.damaged",
                  "an impossible record at position " + std::to_string(position) +
                      ": a member wrote into the segment against the rules; stop all members and start again");
    return EVS_P_CLOSED;
  }
  if (request.needed != 0) return EVS_P_TOO_BIG;
  if (!blocked) return EVS_P_AGAIN;  // STOP at the first frame
  // Nothing there; or a hole, whose owner may be dead. Deaths are rare: look at the cells now and then, not at each poll.
  if (segment.hot().alarms.load(std::memory_order_relaxed) != 0 && ++blocked_reads_ % 64 == 0 &&
      position < segment.hot().tail.load(std::memory_order_acquire) && transport.unblock(position))
    return EVS_P_OK;
  return EVS_P_AGAIN;
}

}  // namespace evs::plugin_shm
