// SPDX-License-Identifier: BSD-3-Clause
// plugins/shm/cursor.h - a handle's reading position, its interests and its bell.
//
// Locks: the host's, one thread at a time in what evs/plugin.h marks [cursor], guards the position and what is known there. `interest_mutex_`
// guards the interests. The cell in shared memory is found anew after each rejoin (another slot); its index stays.
#pragma once

#include <atomic>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "evs/plugin.h"
#include "plugins/shm/transport.h"

namespace evs::plugin_shm {

struct GroupKey {
  uint64_t w[4];
  bool operator==(const GroupKey& o) const { return std::memcmp(w, o.w, sizeof w) == 0; }
};
struct GroupKeyHash {
  size_t operator()(const GroupKey& k) const { return shm::group_hash(&k); }
};

class Cursor {
 public:
  Cursor(Transport& transport, uint32_t index);
  ~Cursor();

  int32_t watch(void* buffer, size_t size, size_t* needed);
  void park();
  int32_t interest_add(const evs_plugin_group* groups, uint32_t count);
  void interest_remove(const evs_plugin_group* groups, uint32_t count);
  int32_t read(evs_read& request);  // reading.cc
  int32_t pending() const;  // reading.cc
  int32_t wait(uint64_t timeout_ns);
  void wake();
  int32_t fd();
  int32_t arm();
  void ring();
  uint64_t lag() const;

  // role.cc. The gateway's reader: the segment's pin holds the ring for it, its cell says parked; it hears everybody, and passes memberships.
  void take_role() { role_ = true; }
  bool has_role() const { return role_; }
  uint64_t place() const { return position_.load(std::memory_order_relaxed); }
  int32_t begin_at_pin(uint64_t& position);
  int32_t begin_at(uint64_t position);

  // For the transport, in a rejoin: the slot is given back, and somebody else may take it. Until there is another one, what is written to the
  // cell goes nowhere.
  void leave_slot();
  // The slot is another one now. Parks; filter and bell move along.
  void move_to_slot();
  // Whoever sleeps on a cell of before looks again.
  void wake_former();
  uint64_t count_unread() const;
  bool blocked_at(uint64_t& position) const;
  uint32_t index() const { return index_; }
  std::atomic<uint64_t> room_wanted{0};  // bytes on the ring
  Transport& transport;

 private:
  shm::CursorCell& cell() const { return *cell_.load(std::memory_order_acquire); }
  void adopt(const shm::View& view);
  int32_t take_message(evs_read& request, uint64_t position, const shm::RecordView& record, size_t& used);
  int32_t take_membership(evs_read& request, const shm::View& view, size_t& used);
  bool before_pin(uint64_t position) const;
  void drain_bell();
  void note_rung();
  bool arm_and_look(uint32_t how);
  void disarm(shm::CursorCell& cell, uint32_t how);

  const uint32_t index_;
  bool role_ = false;
  shm::CursorCell nowhere_{};                    // while the process has no slot
  std::atomic<shm::CursorCell*> cell_{&nowhere_};
  shm::CursorCell* former_ = &nowhere_;
  std::atomic<uint64_t> position_{0};  // written in [cursor] calls; 0: parked
  shm::View view_;                     // at position_
  std::vector<uint32_t> generation_of_;  // by slot, of the members at position_; 0: none
  uint64_t delivered_ = 0;
  uint32_t blocked_reads_ = 0;
  std::atomic<bool> slept_{false};  // since the last record
  mutable std::atomic<uint32_t> empty_looks_{0};  // 1: somebody looked in vain since the last record

  std::mutex interest_mutex_;
  std::unordered_map<GroupKey, uint32_t, GroupKeyHash> interests_;
  std::vector<uint16_t> filter_counts_;  // how many interests set each bit

  std::atomic<int> fifo_{-1};
  std::atomic<uint64_t> bell_{0};
  std::atomic<uint32_t> interrupted_{0};
  std::atomic<uint64_t> spin_now_ns_;
};

}  // namespace evs::plugin_shm
