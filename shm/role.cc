// SPDX-License-Identifier: BSD-3-Clause
// shm/role.cc - placing the role's pin, moving it, and settling a claim.
#include "shm/role.h"

#include "shm/crash_point.h"
#include "shm/fill.h"
#include "shm/record.h"
#include "shm/slots.h"

namespace evs::shm {

namespace {

bool is_possible(const Segment& segment, uint64_t position, uint64_t tail) {
  return position % kUnit == 0 && position <= tail && tail - position <= segment.geometry().capacity;
}

uint64_t holder_word(uint32_t slot, uint32_t generation) { return uint64_t{generation} << 32 | (slot + 1); }

}  // namespace

uint64_t role_position(const Segment& segment) {
  const uint64_t pin = segment.hot().role_pin.load(std::memory_order_acquire);
  return (pin & kRoleKept) != 0 ? pin & kPositionMask : 0;
}

// PIN, as for a cursor that is placed: a scan sees the pin, or was bounded by a tail that we read after setting it. So from that second tail on everything
// is kept by whoever scans; between the two tails it is not, and who dies there leaves a word that says so.
uint64_t open_role(const Segment& segment, uint32_t slot, uint32_t generation) {
  HotWords& hot = segment.hot();
  const uint64_t now = hot.tail.load(std::memory_order_seq_cst);
  if (uint64_t kept = role_position(segment); kept != 0) {
    if (!is_possible(segment, kept, now)) return 0;
    hot.role_holder.store(holder_word(slot, generation), std::memory_order_relaxed);
    return kept;
  }
  hot.role_pin.store((now & kPositionMask) | kRolePlacing, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  EVS_CRASH_POINT("role.placing");
  const uint64_t tail = hot.tail.load(std::memory_order_seq_cst) & kPositionMask;
  if (tail == 0) return 0;
  hot.role_pin.store(tail | kRoleKept, std::memory_order_seq_cst);
  EVS_CRASH_POINT("role.placed");
  hot.role_holder.store(holder_word(slot, generation), std::memory_order_relaxed);
  return tail;
}

void close_role(const Segment& segment, uint32_t slot, uint32_t generation) {
  uint64_t ours = holder_word(slot, generation);
  segment.hot().role_holder.compare_exchange_strong(ours, 0, std::memory_order_relaxed);
}

bool keep_role(const Segment& segment, uint64_t position) {
  HotWords& hot = segment.hot();
  uint64_t now = hot.role_pin.load(std::memory_order_relaxed);
  if ((now & kRoleKept) == 0 || position % kUnit != 0 || position > hot.tail.load(std::memory_order_acquire)) return false;
  // FREE: what was read before the position is read before it is overwritten.
  while ((now & kPositionMask) < position && !hot.role_pin.compare_exchange_weak(now, position | kRoleKept, std::memory_order_seq_cst)) {}
  EVS_CRASH_POINT("role.kept");
  return true;
}

uint32_t role_holder(const Segment& segment) {
  const uint64_t word = segment.hot().role_holder.load(std::memory_order_relaxed);
  const uint32_t slot = static_cast<uint32_t>(word) - 1;
  if (word == 0 || slot >= segment.geometry().max_members) return UINT32_MAX;
  const SlotWord now = slot_word(segment, slot);
  return now.generation == word >> 32 && claims_count(now.state) ? slot : UINT32_MAX;
}

namespace {

// By the position's own word: nothing that an earlier or a later lap left there passes for it.
bool stands(const Segment& segment, uint64_t position, Settled& out) {
  const uint32_t kind = segment.kind_at(position, segment.word(position).load(std::memory_order_acquire));
  if (kind == 0) return false;
  switch (static_cast<Kind>(kind)) {
    case Kind::pad:
    case Kind::gone: out = Settled::padded; break;
    case Kind::skip: out = Settled::not_claimed; break;  // the record that it belongs to stands behind it
    default: out = Settled::committed;
  }
  return true;
}

}  // namespace

Settled settle_claim(const Segment& segment, uint32_t own_slot, uint64_t position, uint64_t& padded) {
  const uint64_t tail = segment.hot().tail.load(std::memory_order_seq_cst);
  Settled out = Settled::damaged;
  if (position % kUnit != 0 || position == 0 || position >= tail) return Settled::not_claimed;
  if (stands(segment, position, out)) return out;
  for (uint32_t i = 0; i < segment.geometry().max_members; ++i)
    if (slot_word(segment, i).state == SlotState::dead) padded += fill_claims_of(segment, i, own_slot);
  // A unit may be padded only where reading leads to it: within a live claimant's record nobody's name stands. So from the pin on, record by
  // record, as a reader would.
  uint64_t at = role_position(segment);
  if (at == 0 || at > position || !is_possible(segment, at, tail)) return stands(segment, position, out) ? out : Settled::lost;
  while (at <= position) {
    if (at == position && stands(segment, position, out)) return out;
    RecordView record;
    const Peek found = peek(segment, at, record);
    if (found == Peek::damaged) return Settled::damaged;
    if (found == Peek::record) {
      at = record.next;
      continue;
    }
    set_pin(segment, own_slot, kPinFill, at);
    const Fill filled = fill(segment, at);
    clear_pin(segment, own_slot, kPinFill);
    if (filled == Fill::padded) ++padded;
    if (filled == Fill::lapped) return Settled::lost;
    if (filled != Fill::padded && filled != Fill::committed) return Settled::alive;
  }
  return Settled::not_claimed;
}

}  // namespace evs::shm
