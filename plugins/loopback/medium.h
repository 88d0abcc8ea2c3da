// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/medium.h - the ordered medium: a bounded log of frames that all readers read at their own pace.
//
// Positions are bytes since the medium began; a frame lies at position % buffer size. append() claims at the tail,
// writes and moves the tail, all under one lock. A reader takes the lock to learn how far it may read and to say how
// far it has come; between the two it reads without it, because append() never overwrites what a watching reader has
// not passed.
//
//   FULL  tail_: release in commit -> acquire in pending() and under the lock.  A frame is written before it is seen.
//   FREE  Cursor::place: changed under the lock, which append() holds when it looks for room.
//
// A reader holds room only for frames that concern it: when room is short, append() moves readers past the others.
// Beyond the capacity lies a reserve that membership frames alone may use; a change that finds even the reserve full is
// written when a reader makes room.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bell.h"
#include "lock.h"
#include "membership.h"
#include "parameters.h"
#include "record.h"

namespace evs::loopback {

class Cursor;

class Medium {
 public:
  // The medium of this process that has this name, created when there is none. It lives as long as somebody has it. All
  // who share it go by the settings of the first.
  static std::shared_ptr<Medium> open(const std::string& bus, const Settings& settings);
  explicit Medium(const Settings& settings);
  ~Medium();

  // Members. join() waits for room until the deadline: EVS_P_OK, TIMEOUT, NO_RESOURCES, CLOSED.
  int32_t join(int32_t pid, uint64_t deadline_ns, std::shared_ptr<Member>& out);
  void leave(Member& member, int32_t reason);
  // As leave(), but not by its own will: its readers stop, and member.lost counts what they will not read.
  void expel(Member& member);
  void fail();  // every call answers EVS_P_CLOSED from here on

  int32_t append(const Member& from, const evs_append& frame, uint64_t* position,
                 void (*before_commit)(void* context, uint64_t position), void* context) noexcept;
  int32_t room(const Member& from, Cursor* asker, uint64_t size, uint32_t group_count);
  int32_t wait_room(const Member& from, uint64_t size, uint32_t group_count, uint64_t deadline_ns);

  // Hosts, one a transport: their service threads are woken when the membership changes, because a handle whose cursor
  // is parked learns of it from there.
  void add(const evs_host& host);
  void remove(const evs_host& host);

  // Readers. What they do is in cursor.h.
  void add(Cursor& cursor);
  void remove(Cursor& cursor);

  uint64_t tail() const noexcept { return tail_.load(std::memory_order_acquire); }  // FULL
  uint64_t message_limit() const { return settings_.message_limit; }
  uint64_t capacity() const { return buffer_size_ - reserve_; }
  uint32_t member_limit() const { return static_cast<uint32_t>(settings_.max_processes); }
  Record& record_at(uint64_t position) { return *reinterpret_cast<Record*>(buffer_ + position % buffer_size_); }

  OwnerLock lock;

  // ---- All below: with the lock held. ----
  int32_t standing(const Member& member) const;  // EVS_P_OK, EXPELLED or CLOSED
  MemberTable& members() { return members_; }
  const std::shared_ptr<const Membership>& membership() const { return in_force_; }
  std::shared_ptr<const Membership> membership_at(uint64_t place) const;
  // A reader has moved: writes what waited for room and rings those who did.
  void room_was_made();
  const Cursor* furthest_behind() const;
  uint64_t used() const;
  uint64_t refused() const { return refused_; }

 private:
  bool has_room(uint64_t length, uint64_t reserve);
  uint64_t floor() const;  // the place of the reader that is furthest behind
  void move_past_foreign_frames();
  uint64_t pad_before(uint64_t length) const;
  Record& claim(uint64_t length);
  void commit(const Record& record);
  bool publish_change(uint64_t reserve);
  bool in_force_holds(const Member& member) const;
  uint64_t count_unread(const Member& member);
  void rouse_all();

  const Settings settings_;
  const uint64_t reserve_;      // bytes that membership frames alone may use
  const uint64_t buffer_size_;  // capacity, the largest pad, and the reserve
  std::byte* const buffer_;

  std::atomic<uint64_t> tail_{kUnit};  // position 0 means "none"
  uint64_t room_until_ = 0;  // what ends before it has room: floor() when it was last looked at, and the capacity
  uint64_t refused_ = 0;     // appends that found no room
  bool closed_ = false;
  MemberTable members_;
  std::shared_ptr<const Membership> in_force_;
  std::map<uint64_t, std::shared_ptr<const Membership>> past_;  // by position: those that a reader may stand in
  std::vector<Cursor*> cursors_;
  std::vector<const evs_host*> hosts_;
  Bell room_bell_;
  uint32_t room_waiters_ = 0;
};

}  // namespace evs::loopback
