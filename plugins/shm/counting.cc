// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/counting.cc - what a process says of itself in <bus>.counters (shm/counters.h), four times a second.
#include <algorithm>

#include "plugins/shm/transport.h"

namespace evs::plugin_shm {

using shm::SlotState;
using shm::SlotWord;

// What a slot's cells and cursors count, into its block. Of a dead one, too: it counts on between its last turn and its death. Its prover does that before
// anybody else may have the slot.
void Transport::publish_counts(uint32_t slot) {
  const shm::Slot& from = segment_.slot(slot);
  uint64_t records = 0, bytes = 0, delivered = 0, wakeups = 0, messages[shm::kGuarantees] = {};
  for (const shm::Cell& cell : from.cells) {
    records += cell.appended_records();
    for (uint32_t g = 0; g < shm::kGuarantees; ++g) messages[g] += cell.appended[g].load(std::memory_order_relaxed);
    bytes += cell.appended_bytes.load(std::memory_order_relaxed);
  }
  const uint32_t used = std::min(from.cursors_used.load(std::memory_order_relaxed), shm::kCursors);
  for (uint32_t c = 0; c < used; ++c) {
    const shm::CursorCell& cell = from.cursors[c];
    delivered += cell.delivered.load(std::memory_order_relaxed) + cell.delivered_before.load(std::memory_order_relaxed);
    wakeups += cell.wakeups.load(std::memory_order_relaxed) + cell.wakeups_before.load(std::memory_order_relaxed);
  }
  shm::CounterBlock& block = counters_.block(slot);
  block.set(shm::Counter::appended_records, records);
  block.set(shm::Counter::appended_bytes, bytes);
  for (uint32_t g = 0; g < shm::kGuarantees; ++g) block.set(shm::messages_of(g), messages[g]);
  block.set(shm::Counter::delivered_records, delivered);
  block.set(shm::Counter::wakeups, wakeups);
}

void Transport::publish_levels(shm::CounterBlock& block) {
  evs_ordered_usage ring;
  usage(ring);
  block.set(shm::Level::ring_sequence, segment_.geometry().ring_sequence);
  block.set(shm::Level::capacity_bytes, ring.capacity_bytes);
  block.set(shm::Level::used_bytes, ring.used_bytes);
  {
    const std::lock_guard lock(view_mutex_);
    block.set(shm::Level::change, view_.change);
    block.set(shm::Level::members, view_.members.size());
  }
  const shm::Slot& slot = segment_.slot(slot_);
  const uint64_t tail = segment_.hot().tail.load(std::memory_order_relaxed);
  const uint32_t used = std::min(slot.cursors_used.load(std::memory_order_relaxed), shm::kCursors);
  uint64_t handles = 0, reading = 0, groups = 0, lag = 0;
  for (uint32_t c = 0; c < used; ++c) {
    const shm::CursorCell& cell = slot.cursors[c];
    if (cell.in_use.load(std::memory_order_relaxed) == 0) continue;
    ++handles;
    groups += cell.joined_groups.load(std::memory_order_relaxed);
    const uint64_t at = cell.position.load(std::memory_order_relaxed) & shm::kPositionMask;
    if (at == 0) continue;
    ++reading;
    if (cell.armed.load(std::memory_order_relaxed) != 0) continue;  // it sleeps: nothing for it stands between it and the tail, or it would have been rung
    lag = std::max(lag, tail - std::min(tail, at));
  }
  block.set(shm::Level::handles, handles);
  block.set(shm::Level::reading_handles, reading);
  block.set(shm::Level::joined_groups, groups);
  block.set(shm::Level::reader_lag_bytes, lag);
}

void Transport::beat(uint64_t now) {
  shm::Slot& slot = segment_.slot(slot_);
  slot.heartbeat_ns.store(now, std::memory_order_relaxed);
  shm::CounterBlock& block = counters_.block(slot_);
  for (int i = 0; i < 2; ++i) block.command[i].store(slot.command[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  // In this order: a file is read from its beginning on, so that who finds a count finds levels that are as new, and who finds somebody there finds both.
  publish_levels(block);
  std::atomic_thread_fence(std::memory_order_release);
  {
    const std::lock_guard lock(cursors_mutex_);  // a cell changes hands in two steps
    publish_counts(slot_);
  }
  block.set(shm::Counter::no_cell, writer_.no_cell_total() - no_cell_before_);
  block.set(shm::Counter::full, full_total_.load(std::memory_order_relaxed) - full_before_);
  count(shm::Counter::services);
  block.heartbeat_ns.store(now, std::memory_order_release);
}

// It runs, and sees nothing of the ring until it calls.
void Transport::tell_expelled(uint64_t now) {
  const SlotWord word = slot_word(segment_, slot_);
  if (word.generation != generation_ || word.state != SlotState::expelled) return;
  shm::CounterBlock& block = counters_.block(slot_);
  block.set(shm::Level::expelled, 1);
  block.heartbeat_ns.store(now, std::memory_order_relaxed);
}

}  // namespace evs::plugin_shm
