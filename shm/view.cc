// SPDX-License-Identifier: BSD-3-Clause
// shm/view.cc - folding, publishing and walking memberships.
#include "shm/view.h"

#include <algorithm>
#include <cstring>

#include "shm/crash_point.h"
#include "shm/slots.h"

namespace evs::shm {

const MemberEntry* View::find(uint32_t slot, uint32_t generation) const {
  for (const MemberEntry& m : members)
    if (m.slot == slot && m.generation == generation) return &m;
  return nullptr;
}

std::vector<unsigned char> encode_membership(const View& next, const View& previous) {
  MembershipHeader h{next.change, previous.position, previous.change, static_cast<uint32_t>(next.members.size()),
                     static_cast<uint32_t>(next.left.size())};
  std::vector<unsigned char> bytes(sizeof h + (next.members.size() + next.left.size()) * sizeof(MemberEntry));
  memcpy(bytes.data(), &h, sizeof h);
  unsigned char* to = bytes.data() + sizeof h;
  for (const auto* list : {&next.members, &next.left}) {
    if (!list->empty()) memcpy(to, list->data(), list->size() * sizeof(MemberEntry));
    to += list->size() * sizeof(MemberEntry);
  }
  return bytes;
}

// Slots index arrays: an entry that names none of this segment's is no entry.
static bool entries_are_possible(const std::vector<MemberEntry>& entries, const Geometry& g) {
  return std::all_of(entries.begin(), entries.end(), [&](const MemberEntry& m) { return m.slot < g.max_members; });
}

Fold fold(const Segment& segment, uint64_t position, const RecordView& record, View& view) {
  MembershipHeader h;
  if (record.size < sizeof h) return Fold::damaged;
  memcpy(&h, record.data, sizeof h);
  const uint32_t most = segment.geometry().max_members;
  if (h.member_count > most || h.left_count > most ||
      sizeof h + (uint64_t{h.member_count} + h.left_count) * sizeof(MemberEntry) > record.size)
    return Fold::damaged;
  if (h.previous_change != view.change || h.previous_position != view.position || h.change != view.change + 2)
    return Fold::ignored;
  const auto* entries = reinterpret_cast<const MemberEntry*>(record.data + sizeof h);
  view.members.assign(entries, entries + h.member_count);
  view.left.assign(entries + h.member_count, entries + h.member_count + h.left_count);
  view.change = h.change;
  view.position = position;
  const bool possible = entries_are_possible(view.members, segment.geometry()) && entries_are_possible(view.left, segment.geometry());
  return possible ? Fold::taken : Fold::damaged;
}

std::vector<MemberEntry> left_between(const View& from, const View& to, const Segment& segment) {
  std::vector<MemberEntry> left;
  for (MemberEntry m : from.members) {
    if (to.find(m.slot, m.generation) != nullptr) continue;
    // When somebody else has the slot by now nobody can say any more: no reason is better than a wrong one.
    const SlotWord word = slot_word(segment, m.slot);
    m.reason = static_cast<uint32_t>(word.generation == m.generation ? word.reason : MemberReason::stays);
    left.push_back(m);
  }
  return left;
}

View load_latest(const Segment& segment) {
  const Geometry& g = segment.geometry();
  std::vector<bool> damaged(g.max_members, false);
  for (;;) {
    uint64_t best_word = 0;
    uint32_t best_slot = 0;
    for (uint32_t i = 0; i < g.max_members; ++i) {
      // FREE slots were never used: their memory may not exist.
      if (damaged[i] || slot_word(segment, i).state == SlotState::free) continue;
      const uint64_t word = segment.slot(i).view_word.load(std::memory_order_acquire);
      if ((word >> 1) > (best_word >> 1)) {
        best_word = word;
        best_slot = i;
      }
    }
    View view;
    if (best_word == 0) return view;
    const ViewCopy& copy = segment.view_copy(best_slot, best_word & 1);
    view.change = copy.change;
    view.position = copy.position;
    const uint32_t count = std::min(copy.member_count, g.max_members);
    const auto* entries = reinterpret_cast<const MemberEntry*>(&copy + 1);
    view.members.assign(entries, entries + count);
    // The copy that a word names is not written until the word names the other one.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (segment.slot(best_slot).view_word.load(std::memory_order_relaxed) != best_word) continue;
    if (view.change == best_word >> 1 && entries_are_possible(view.members, g)) return view;
    // The word names a copy that nobody wrote like this: a faulty member. Waiting would not mend it; the other slots' views stand.
    damaged[best_slot] = true;
  }
}

void publish(const Segment& segment, uint32_t own_slot, const View& view) {
  Slot& slot = segment.slot(own_slot);
  const uint64_t now = slot.view_word.load(std::memory_order_relaxed);
  if ((now >> 1) >= view.change) return;
  const uint64_t which = (now & 1) ^ 1;
  ViewCopy& copy = segment.view_copy(own_slot, static_cast<uint32_t>(which));
  // The word that turned readers away from this copy comes before what is written into it; load_latest's acquire fence is the other side.
  std::atomic_thread_fence(std::memory_order_release);
  copy.change = view.change;
  copy.position = view.position;
  copy.member_count = static_cast<uint32_t>(view.members.size());
  copy.reserved = 0;
  if (!view.members.empty())
    memcpy(static_cast<void*>(&copy + 1), view.members.data(), view.members.size() * sizeof(MemberEntry));
  EVS_CRASH_POINT("view.written");
  slot.view_word.store(view.change << 1 | which, std::memory_order_release);
  EVS_CRASH_POINT("view.published");
}

Walk walk(const Segment& segment, uint64_t& position, View& view, uint64_t until) {
  const Geometry& g = segment.geometry();
  while (position < until) {
    RecordView record;
    const Peek found = peek(segment, position, record);
    Fold folded = Fold::ignored;
    View next;
    const bool relevant = found == Peek::record && record.kind == Kind::membership && position > view.position;
    if (relevant) {
      next = view;
      folded = fold(segment, position, record, next);
    }
    // Everything above was read optimistically: it counts if the ring has not gone over it.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (segment.hot().tail.load(std::memory_order_seq_cst) > position + g.capacity) return Walk::lapped;
    if (found == Peek::nothing) return Walk::blocked;
    if (found == Peek::damaged || folded == Fold::damaged) return Walk::damaged;
    if (folded == Fold::taken) view = std::move(next);
    position = record.next;
  }
  return Walk::done;
}

}  // namespace evs::shm
