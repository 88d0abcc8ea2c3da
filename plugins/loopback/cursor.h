// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/cursor.h - one reader: its place in the order, what concerns it, and how it is woken.
//
// A parked cursor holds no place. A watching one holds the room from its place on, as far as frames concern it. Three
// ways to wake it: the bell ends a wait(), the descriptor an epoll, and `interrupted` is a wake() that has not been
// seen yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "bell.h"
#include "evs/plugin.h"
#include "medium.h"

namespace evs::loopback {

struct GroupHash {
  size_t operator()(const evs_plugin_group& group) const noexcept {
    return std::hash<std::string_view>{}({group.key, sizeof(group.key)});
  }
};
struct GroupEqual {
  bool operator()(const evs_plugin_group& a, const evs_plugin_group& b) const noexcept {
    return std::memcmp(a.key, b.key, sizeof(a.key)) == 0;
  }
};

class Cursor {
 public:
  Cursor(Medium& medium, const evs_transport& owner);
  ~Cursor();

  // The functions of evs_ordered_ops by the same names.
  int32_t watch(void* buffer, size_t buffer_size, size_t* needed);
  void park();
  void interest_add(const evs_plugin_group* groups, uint32_t count);
  void interest_remove(const evs_plugin_group* groups, uint32_t count);
  int32_t read(evs_read& request);
  bool pending() const noexcept;
  bool has_something() const;  // read() has something to say: a frame, an expulsion, an end
  int32_t wait(uint64_t timeout_ns);
  void wake();
  int32_t fd();
  int32_t arm();
  void ring();
  uint64_t lag() const noexcept;

  // ---- All below: with the medium's lock held. ----
  bool concerns(const Record& record) const;
  bool watching() const noexcept { return watching_.load(std::memory_order_relaxed); }
  bool of(const Member& member) const;
  const Member& member() const;
  void something_came();  // a frame that concerns this cursor, or a membership
  void rouse();           // ends a wait() with OK and makes the descriptor readable, armed or not
  void stop_watching();

  std::atomic<uint64_t> place{0};  // everything before it was read; FREE
  bool reading = false;            // read() is at work without the lock, from its place on
  uint64_t room_wanted = 0;        // bytes of a record that found no room

 private:
  int32_t walk(evs_read& request, uint64_t end, uint64_t& at);
  void make_readable();
  int32_t standing() const;  // EVS_P_OK, EXPELLED or CLOSED

  Medium& medium_;
  const evs_transport& owner_;
  std::atomic<bool> watching_{false};
  std::unordered_map<evs_plugin_group, uint32_t, GroupHash, GroupEqual> interest_;  // how often each was added
  Bell bell_;
  bool sleeping_ = false;
  bool roused_ = false;  // wait() shall return
  bool interrupted_ = false;
  bool armed_ = false;
  bool readable_ = false;  // ring() came before the descriptor was asked for
  int fd_ = -1;
};

}  // namespace evs::loopback
