// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/handle.h - one evs_initialize: its groups, its reader, its callbacks.
//
// Two locks. The scan lock is held to find, judge and copy frames, and to change what they are judged by; it is given back
// before a callback runs, so a long callback holds no ring. The callback lock, recursive for its thread, lets one callback
// run at a time and guards what waits for its callback. Outer to inner: callback lock, presence, scan lock. Nobody
// waits for the callback lock from inside a call (call.h).
//
// What waits, in the order in which it is told: events_ (a frame can mean several callbacks), the batch that was read last, posted
// tokens (changes that came outside of the order: the first configuration, an expulsion), and only then the next read.
//
// Parts: handle.cc opening and closing; handle_groups.cc joining and leaving; handle_reader.cc judging and reading;
// handle_dispatch.cc calling back; handle_events.cc what a frame or token means.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "bus/groups/control_record.h"
#include "bus/groups/group_watch.h"
#include "bus/groups/joined_groups.h"
#include "bus/groups/joined_snapshot.h"
#include "bus/runtime/batch.h"
#include "bus/runtime/bus.h"
#include "bus/runtime/configuration.h"
#include "bus/runtime/futex.h"
#include "bus/runtime/stats.h"
#include "evs/evs.h"

namespace evs::runtime {

class Call;

struct HandleCallbacks {
  evs_callbacks_t compatible{};
  evs_callbacks_ex_t extended{};
};

// A change that does not stand in the order.
struct Token {
  enum class Kind : uint8_t { begin, membership, expelled };
  Kind kind;
  Membership membership;       // begin, membership
  evs_ordered_member self{};   // begin: who we are; membership: who we are from here on; expelled: who we were
};

struct RoomEvent {};
using Event = std::variant<Configuration, evs_group_change_t, RoomEvent>;

class Handle {
 public:
  // ---- Constant while open; read inside a call. ----
  evs_handle_t id = 0;
  Bus* bus = nullptr;
  const std::atomic<uint32_t>* gate = nullptr;
  evs_transport* transport = nullptr;
  const evs_ordered_ops* ops = nullptr;
  evs_cursor* cursor = nullptr;
  uint64_t message_limit = 0;
  uint32_t groups_limit = 0;  // of one message
  uint32_t counted_slot = kNoCountedSlot;
  groups::JoinedSnapshots snapshots;

  std::atomic<uint32_t> guests{0};  // threads inside that have no presence record
  std::atomic<void*> context{nullptr};

  // ---- Life: handle.cc. ----
  void prepare(evs_handle_t new_id, const HandleCallbacks& callbacks, void* app_context);
  // With the bus's handles_mutex_ held.
  int32_t open_on(Bus& new_bus);
  void close_on_bus(std::vector<groups::GroupKey>& still_joined);
  // After the number was withdrawn. Waits for those who are inside or in a callback, except when called from a callback:
  // then the last dispatch out takes the handle down.
  static void finish(Handle& handle);

  // ---- Calls, inside. A Call may be left and entered again by them. ----
  cs_error_t join(Call& call, const evs_group* groups, size_t count);
  cs_error_t leave(Call& call, const evs_group* groups, size_t count);
  // Where the transport cannot answer for any moment: who is in a group that this handle has joined, at the place its callbacks have reached.
  cs_error_t members_told(const groups::GroupKey& key, std::vector<groups::Processor>& found) const;
  cs_error_t dispatch(Call& call, cs_dispatch_flags_t flags);
  cs_error_t fd(Call& call, int& out);
  bool in_own_callback() const;
  uint32_t joined_groups();

  // Keeps the handle from being taken down while its thread sleeps outside of a call. Begun inside. [signal]
  void hold() { sleepers_.fetch_add(1, std::memory_order_seq_cst); }
  void release() { sleepers_.fetch_sub(1, std::memory_order_seq_cst); }

  // A send found no room. [signal]
  void note_no_room(size_t size, uint32_t group_count);
  // Surely nothing to call back, without a lock; the fast answer of a poll loop.
  bool is_idle() const {
    return dirty_.load(std::memory_order_acquire) == 0 && ops->pending(cursor) == 0 &&
           !fd_wanted_.load(std::memory_order_relaxed);
  }

  // ---- The service thread's, with the bus's handles_mutex_ held. ----
  void notify();                     // a callback is due: wakes the sleeper and the descriptor
  void membership_changed();         // parked handles hear of it this way
  void ask_for_room();
  void pass_unwanted(uint64_t least_lag, Batch& passed);
  void rejoined(const evs_ordered_member& old_self);  // nobody is inside
  bool join_again();                 // true: all its groups have their records

  const DeliveredCounts& delivered() const { return counts_; }

 private:
  enum Dirty : uint32_t { kToken = 1, kLeftover = 2, kMembership = 4, kRoom = 8 };
  enum class Step : uint8_t { called, silent, empty, gone };
  enum class Refill : uint8_t { more, empty, gone, expelled, closed };
  enum class Outcome : uint8_t { delivered, nothing, paused, gone, expelled, closed };

  // handle.cc
  Bus* take_down();
  static void take_down_if_closing(Handle& handle);
  void release_callback_lock();
  void post(Token token);

  // handle_groups.cc, with the scan lock
  int32_t join_locked(const evs_group* groups, size_t count);
  int32_t leave_locked(const evs_group* groups, size_t count, bool& all_were_joined);
  int32_t start_watching();
  void drop_passed_groups();
  void publish_groups(std::unique_ptr<groups::JoinedSnapshot> next);
  bool wants_group_changes() const { return callbacks_.extended.group_changed != nullptr; }

  // handle_reader.cc
  static int32_t want(void* self, const evs_frame* frame);
  static int32_t want_to_pass(void* self, const evs_frame* frame);
  int32_t judge(const evs_frame& frame);
  int32_t judge_message(const evs_frame& frame) const;
  int32_t judge_control(const evs_frame& frame);
  bool is_own(const evs_frame& frame, const groups::ControlRecord& record) const;
  void put_off(Token membership);
  Batch& batch_to_fill();
  Refill read_more();
  int32_t read_once(Batch& batch);

  // handle_events.cc, with the callback lock
  Step expand(Call& call, const evs_frame& frame);
  void expand(const Token& token);
  void expand_membership(const evs_frame& frame);
  void expand_groups(const evs_frame& frame);
  Step expand_control(Call& call, const evs_frame& frame);
  std::vector<groups::Processor> members_at(const groups::GroupKey& key, uint64_t position) const;
  void add_configurations(std::vector<Configuration>& configurations);
  void add_group_changes(std::vector<evs_group_change_t>& changes);
  bool due(const Event& event) const;

  // handle_dispatch.cc
  Outcome run(Call& call, bool single);
  Step deliver_next(Call& call);
  bool deliver_messages(Call& call, bool single);
  Refill read_locked();
  Refill read_or_ask();
  Refill refill();
  void call_extended(const evs_frame& frame);
  void call_timed(const evs_frame& frame);
  void note_callback();
  void call_back(Call& call, const Event& event);
  void call_configuration(const Configuration& configuration);
  cs_error_t sleep(Call& call);
  cs_error_t gone(const Call& call) const;
  void note_leftovers(Call& call);
  bool has_something() const;
  bool is_open() const;

  HandleCallbacks callbacks_;
  bool has_deliver_ = false;

  // ---- Dispatching. ----
  alignas(64) RecursiveLock callback_lock_;
  std::atomic<uint32_t> dirty_{0};
  std::atomic<bool> fd_wanted_{false};
  std::atomic<uint32_t> closing_{0};   // 0 open, 1 withdrawn, 2 taken down
  std::atomic<uint32_t> sleepers_{0};  // threads that will look at this handle again, from outside of a call
  FutexLock sleep_lock_;               // one thread at a time in the transport's wait()
  uint32_t forks_ = 0;                 // handle_table::g_forks when it was opened

  groups::GroupWatch watch_;           // has a lock of its own

  // ---- Guarded by the callback lock. ----
  std::vector<std::unique_ptr<Batch>> batches_;
  Batch* batch_ = nullptr;  // the one that was filled last
  std::vector<Event> events_;
  size_t next_event_ = 0;
  ConfigurationTeller teller_;
  evs_ordered_member told_self_{};  // who we are at the place that the callbacks have reached
  evs_ordered_member last_sender_{};  // so that its pid is looked up once
  DeliveredCounts counts_;
  shm::Sampling sampling_;          // deliver callbacks that are timed
  uint64_t callback_ns_ = 0;        // of the last of them, until we are inside again; 0: none

  // ---- Guarded by the scan lock. ----
  alignas(64) ShortLock scan_lock_;
  groups::JoinedGroups groups_;
  uint64_t serial_sent_ = 0, serial_passed_ = 0;
  bool watching_ = false;  // the cursor; else it is parked
  bool leave_passed_ = false;
  bool stop_here_ = false; // judge(): our own join was taken, its replica comes first
  std::vector<Token> tokens_;
  std::vector<groups::GroupKey> to_join_again_;

  std::atomic<uint64_t> room_size_{0};
  std::atomic<uint32_t> room_groups_{0};
  std::atomic<bool> room_asked_{false};
};

// How deep in callbacks of evs this thread is; its address names the thread.
extern thread_local uint32_t t_callback_depth __attribute__((tls_model("initial-exec")));

// What presence is asked about a handle's guests.
inline bool is_this_handle(const Handle* inside, const void* handle) { return inside == handle; }

}  // namespace evs::runtime
