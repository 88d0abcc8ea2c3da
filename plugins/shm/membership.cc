// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/membership.cc - following the membership from record to record, and appending the records that change it.
#include <string.h>

#include <algorithm>

#include "plugins/shm/transport.h"
#include "shm/claim_append.h"
#include "shm/crash_point.h"

namespace evs::plugin_shm {

using shm::Code;
using shm::MemberEntry;
using shm::MemberReason;
using shm::SlotState;
using shm::SlotWord;
using shm::View;

namespace {

evs_ordered_member member_of(const MemberEntry& entry) {
  return {entry.slot + 1, entry.pid, entry.generation, static_cast<int32_t>(entry.reason), 0};
}

void raise(std::atomic<uint64_t>& word, uint64_t to) {
  uint64_t now = word.load(std::memory_order_relaxed);
  while (now < to && !word.compare_exchange_weak(now, to, std::memory_order_seq_cst)) {}
}

}  // namespace

evs_ordered_member Transport::self() const {
  return {slot() + 1, segment_.slot(slot_).pid.load(std::memory_order_relaxed), generation_, EVS_MEMBER_STAYS, 0};
}

int32_t Transport::write_membership(const View& view, void* buffer, size_t size, size_t* needed) const {
  const size_t bytes = sizeof(evs_membership) + (view.members.size() + view.left.size()) * sizeof(evs_ordered_member);
  if (needed != nullptr) *needed = bytes;
  if (size < bytes) return EVS_P_TOO_BIG;
  auto* out = static_cast<evs_membership*>(buffer);
  auto* list = reinterpret_cast<evs_ordered_member*>(out + 1);
  *out = {};
  out->struct_size = sizeof *out;
  out->member_count = static_cast<uint32_t>(view.members.size());
  out->left_count = static_cast<uint32_t>(view.left.size());
  out->change = view.change;
  out->ring_sequence = segment_.geometry().ring_sequence;
  out->position = view.position;
  out->members = list;
  out->left = list + view.members.size();
  for (const MemberEntry& m : view.members) *list++ = member_of(m);
  for (const MemberEntry& m : view.left) *list++ = member_of(m);
  return EVS_P_OK;
}

int32_t Transport::membership(void* buffer, size_t size, size_t* needed) {
  // As new as what any cursor of this process has read, and newer where the service thread has not been woken yet.
  if (member()) follow();
  const std::lock_guard lock(view_mutex_);
  return write_membership(view_, buffer, size, needed);
}

bool Transport::follow(View* out, uint64_t* position) {
  const std::lock_guard lock(view_mutex_);
  const uint64_t tail = segment_.hot().tail.load(std::memory_order_seq_cst);
  shm::Walk result;
  for (int attempt = 0;; ++attempt) {
    // Where everybody's reading is accounted for, from there on we read ourselves. `covered` first, then the latest view: the other
    // way round a change between the two loads would be missed.
    const uint64_t covered = segment_.hot().covered.load(std::memory_order_seq_cst);
    if (view_position_ < covered) {
      View latest = shm::load_latest(segment_);
      if (latest.change > view_.change) {
        latest.left = shm::left_between(view_, latest, segment_);
        view_ = std::move(latest);
      }
      view_position_ = covered;
    }
    result = shm::walk(segment_, view_position_, view_, tail);
    if (result != shm::Walk::lapped || attempt == 100) break;
    view_position_ = 0;
  }
  shm::publish(segment_, slot_, view_);
  if (result == shm::Walk::done || result == shm::Walk::blocked) {
    // Not at each turn: the word is read by everybody who looks for room. Nor later than when somebody here lacks it: where nobody has a cursor
    // nothing else moves the word, and the largest records need the ring to the last byte.
    const uint64_t covered = segment_.hot().covered.load(std::memory_order_relaxed);
    const bool lacking = starved_bytes_.load(std::memory_order_relaxed) != 0 || room_waiters_.load(std::memory_order_relaxed) != 0;
    if (view_position_ > covered + (lacking ? 0 : segment_.geometry().capacity / 8)) raise(segment_.hot().covered, view_position_);
  }
  if (out != nullptr) *out = view_;
  if (position != nullptr) *position = view_position_;
  return result == shm::Walk::done;
}

Code Transport::append_view(const View& next, const View& previous, bool use_reserve, uint64_t& position) {
  const std::vector<unsigned char> bytes = shm::encode_membership(next, previous);
  const iovec iov{const_cast<unsigned char*>(bytes.data()), bytes.size()};
  shm::Record record;
  record.iov = &iov;
  record.iov_count = 1;
  record.size = bytes.size();
  const Code code = writer_.append(shm::Kind::membership, record, position, use_reserve ? shm::Reserve::use : shm::Reserve::leave, shm::Pace::answer,
                                   nullptr, nullptr);
  if (code == Code::ok) bells_.ring_services();
  return code;
}

bool Transport::owes_leave(uint32_t slot, SlotWord word) const {
  if (word.state != SlotState::dead && word.state != SlotState::expelled) return false;
  if (word.author == slot_) return true;
  // The author died itself, or was expelled: the next one takes over. So does everybody when it takes its time, because it may be
  // stopped; of several records for one change the first counts.
  if (leaves_overdue_) return true;
  if (word.author >= segment_.geometry().max_members || word.author == slot) return true;
  return slot_word(segment_, word.author).state != SlotState::live;
}

// Appends one record without all who are dead or expelled and still in the view, if it is ours to do. What fails for want of room is
// tried again at the next turn: the slot's word stands in the table, nothing is lost.
void Transport::settle_leaves() {
  leaves_left_ = false;
  View appended;            // what we appended last: is it in force?
  uint64_t appended_at = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    View view;
    uint64_t at = 0;
    if (!follow(&view, &at)) {
      leaves_left_ = true;
      unblock(at);
      continue;
    }
    if (appended_at != 0 && view.position >= appended_at) {
      for (const MemberEntry& m : appended.left) {
        uint64_t none = 0;
        if (view.find(m.slot, m.generation) == nullptr)
          segment_.slot(m.slot).left_position.compare_exchange_strong(none, view.position, std::memory_order_seq_cst);
      }
    }
    View next;
    bool ours = false;
    for (const MemberEntry& m : view.members) {
      SlotWord word = slot_word(segment_, m.slot);
      // Another generation in the slot: the one in the view is long gone.
      const bool gone = word.generation != m.generation || word.state == SlotState::dead || word.state == SlotState::expelled;
      MemberEntry entry = m;
      entry.reason = static_cast<uint32_t>(MemberReason::stays);
      if (!gone) {
        next.members.push_back(entry);
        continue;
      }
      if (word.generation == m.generation && !owes_leave(m.slot, word)) {
        leaves_left_ = true;  // its author is at it; look again
      } else {
        ours = true;
        if (word.generation == m.generation && word.author != slot_) {
          SlotWord mine = word;
          mine.author = slot_;
          change_slot(segment_, m.slot, word, mine);
        }
      }
      entry.reason = static_cast<uint32_t>(word.generation == m.generation ? word.reason : MemberReason::died);
      next.left.push_back(entry);
    }
    if (!ours) return;
    next.change = view.change + 2;
    EVS_CRASH_POINT("leave.decided");
    uint64_t position = 0;
    const Code code = append_view(next, view, true, position);
    if (code != Code::ok) {
      leaves_left_ = true;
      // Even the reserve is full: somebody holds the ring, and the judge works for this as for a sender.
      uint64_t none = 0;
      starved_bytes_.compare_exchange_strong(none, shm::record_bytes(0, 0), std::memory_order_relaxed);
      return;
    }
    count(shm::Counter::leaves_appended);
    if (parameters_.histograms)
      for (const MemberEntry& m : next.left)
        if (const auto proved = proved_ns_.find(m.slot); proved != proved_ns_.end()) took(shm::Histogram::leave, monotonic_ns() - proved->second);
    for (const MemberEntry& m : next.left) proved_ns_.erase(m.slot);
    EVS_CRASH_POINT("leave.appended");
    appended = std::move(next);
    appended_at = position;
    // Once more: was the record valid where it came to stand, and is somebody else gone meanwhile?
  }
}

}  // namespace evs::plugin_shm
