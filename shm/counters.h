// SPDX-License-Identifier: BSD-3-Clause
// shm/counters.h - <bus>.counters: what a member counts, readable while it hangs and after it died.
//
// A file of its own, 0640 and of the metrics group: monitors read counters, never messages. Each member has a block with one writer (its
// process), relaxed. What the dead counted is folded into `departed` when their slot is taken again, so that
// totals never fall (docs/shm-layout.md B14).
#pragma once

#include <boost/interprocess/mapped_region.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "shm/directory.h"
#include "shm/histogram.h"
#include "shm/layout.h"

namespace evs::shm {

enum class Counter : uint32_t {
  appended_records,
  appended_bytes,
  delivered_records,
  full,
  no_cell,
  padded_units,
  deaths_proved,
  leaves_appended,
  expulsions,
  expelled,
  rejoins,
  wakeups,
  services,
  outsider_sends,
  outsider_records,
  messages,  // and three more: one a guarantee
  // What the host of the medium counts (evs.stats/1).
  delivered = messages + kGuarantees,  // and three more
  delivered_bytes = delivered + kGuarantees,
  refused_full,
  refused_nested,
  refused_rejoining,
  count_,
};
inline constexpr Counter messages_of(uint32_t guarantee) { return static_cast<Counter>(static_cast<uint32_t>(Counter::messages) + guarantee); }
inline constexpr Counter delivered_of(uint32_t guarantee) { return static_cast<Counter>(static_cast<uint32_t>(Counter::delivered) + guarantee); }

struct CounterText {
  const char* name;
  const char* help;
};
// One metric, with a label for the guarantee.
inline constexpr const char* kMessagesName = "evs_ring_messages_total";
inline constexpr const char* kMessagesHelp =
    "Messages appended, by guarantee. With an uplink those that processes of this host sent are in outbox, among them the library's own, and those of all hosts in order.";
inline constexpr const char* kDeliveredName = "evs_delivered_messages_total";
inline constexpr const char* kDeliveredHelp = "Messages whose deliver callback was called, by guarantee: once a handle.";
inline constexpr const char* kRefusedName = "evs_try_again_total";
inline constexpr const char* kRefusedHelp =
    "Sends answered with CS_ERR_TRY_AGAIN: full (no room in the ring), nested (by a signal handler in the middle of its thread's own send), rejoining (the process was "
    "expelled, and joins again).";
inline constexpr CounterText kCounterText[] = {
    {"evs_ring_appended_records_total", "Records this process appended to the order ring, memberships included."},
    {"evs_ring_appended_bytes_total", "Payload bytes of those records."},
    {"evs_ring_delivered_records_total", "Records that this process's cursors took."},
    {"evs_ring_full_total", "Appends refused for want of room."},
    {"evs_ring_no_cell_total", "Appends refused because the process had all its claims open."},
    {"evs_ring_padded_units_total", "Units of dead claims that this process padded."},
    {"evs_members_proved_dead_total", "Members whose death this process was first to prove."},
    {"evs_member_leaves_appended_total", "Membership records for leaving members that this process appended."},
    {"evs_members_expelled_total", "Members that this process expelled because they held the ring."},
    {"evs_expelled_total", "Times this process was expelled."},
    {"evs_rejoins_total", "Times it joined again after that."},
    {"evs_ring_wakeups_total", "Bells rung for sleeping cursors of this process."},
    {"evs_service_turns_total", "Turns of the service thread."},
    {"evs_outsider_messages_total", "Sends of this process that ended after it had been expelled: readers skip them."},
    {"evs_ring_outsider_records_total", "Records that this process's cursors skipped: their senders were no members at their place."},
    {kMessagesName, kMessagesHelp},
    {kMessagesName, kMessagesHelp},
    {kMessagesName, kMessagesHelp},
    {kMessagesName, kMessagesHelp},
    {kDeliveredName, kDeliveredHelp},
    {kDeliveredName, kDeliveredHelp},
    {kDeliveredName, kDeliveredHelp},
    {kDeliveredName, kDeliveredHelp},
    {"evs_delivered_bytes_total", "Payload bytes of these messages."},
    {kRefusedName, kRefusedHelp},
    {kRefusedName, kRefusedHelp},
    {kRefusedName, kRefusedHelp},
};
static_assert(std::size(kCounterText) == static_cast<size_t>(Counter::count_), "every counter has its text");

inline constexpr uint32_t kCounterRoom = 832;  // words a block has room for

// What a process sees at each turn of its service thread, in words of the same block: monitors may read this file, and not the segment. Nothing of
// it is folded: it is gone with the process.
enum class Level : uint32_t {
  ring_sequence,     // of the segment, and the number of the membership in force
  change,
  members,           // of that membership
  capacity_bytes,
  used_bytes,        // of the ring: what somebody has still to read
  handles,
  reading_handles,
  joined_groups,     // of all its handles
  reader_lag_bytes,  // of the slowest of them
  expelled,          // 1: it was put out, and has not called since
  count_,
};
inline constexpr uint32_t kFirstLevel = 48, kFirstHistogramWord = 64;
static_assert(static_cast<uint32_t>(Counter::count_) <= kFirstLevel && kFirstLevel + static_cast<uint32_t>(Level::count_) <= kFirstHistogramWord);

constexpr uint32_t first_word(Histogram histogram) { return kFirstHistogramWord + static_cast<uint32_t>(histogram) * kHistogramWords; }
static_assert(first_word(Histogram::count_) <= kCounterRoom);

struct CounterBlock {
  alignas(kLine) std::atomic<uint32_t> generation;
  std::atomic<int32_t> pid;
  std::atomic<uint64_t> start_time;
  std::atomic<uint64_t> heartbeat_ns;  // 0: it has left, or not arrived; its counts stay
  std::atomic<uint64_t> command[2];
  alignas(kLine) std::atomic<uint64_t> value[kCounterRoom];

  void set(Counter counter, uint64_t to) { value[static_cast<uint32_t>(counter)].store(to, std::memory_order_relaxed); }
  // By whoever of the process has seen it.
  void add(uint32_t word, uint64_t n) { value[word].fetch_add(n, std::memory_order_relaxed); }
  void took(Histogram what, uint64_t ns) {
    add(first_word(what) + bucket_of(ns), 1);
    add(first_word(what) + kBuckets, ns);
  }
  void set(Level level, uint64_t to) { value[kFirstLevel + static_cast<uint32_t>(level)].store(to, std::memory_order_relaxed); }
};

// What a process counted, or what the departed did.
struct CounterValues {
  uint64_t value[kCounterRoom] = {};
  uint64_t of(Counter counter) const { return value[static_cast<uint32_t>(counter)]; }
  uint64_t of(Level level) const { return value[kFirstLevel + static_cast<uint32_t>(level)]; }
  uint64_t of(Histogram histogram, uint32_t bucket) const { return value[first_word(histogram) + bucket]; }
  uint64_t sum_ns(Histogram histogram) const { return of(histogram, kBuckets); }
};
struct CounterLife {
  int32_t pid = 0;
  uint64_t start_time = 0;
  uint64_t heartbeat_ns = 0;  // 0: it has left, or not arrived
  CounterValues values;
};
// A file as it was at one moment, as far as totals go: nobody is missing in them, or in them twice.
struct CounterReading {
  CounterValues departed;
  std::vector<CounterLife> lives;  // those not folded yet; their processes may be gone
  uint64_t total(Counter counter) const { return total(static_cast<uint32_t>(counter)); }
  uint64_t total(uint32_t word) const;
};

class CounterFile {
 public:
  // Under the bus lock. Makes the file, or maps it; one of another layout is replaced. The metrics group may be empty.
  Status open(const Directory& directory, const std::string& bus, uint32_t max_members, const std::string& metrics_group);
  Status open_read_only(const Directory& directory, const std::string& bus);
  // For who looks from outside: reads and maps nothing, so that a file cut short is an error and no SIGBUS. `path`: for the sentence.
  static Status read(int fd, const std::string& path, CounterReading& out);
  bool mapped() const { return region_.get_address() != nullptr; }
  uint32_t blocks() const { return blocks_; }

  CounterBlock& block(uint32_t slot) const;
  // The sum over the dead whose slots were taken again.
  uint64_t departed(Counter counter) const;
  uint64_t total(Counter counter) const;
  // Takes a slot's block for a new life, folding the last one's counts into `departed` first. Under the bus lock; a kill at any
  // point neither loses nor doubles a count.
  void take(uint32_t slot, uint32_t generation, int32_t pid, uint64_t start_time);

 private:
  struct Header;
  struct DepartedHead;
  Header& header() const;
  DepartedHead& departed_copy(uint64_t which) const;
  static uint64_t file_bytes(uint32_t blocks);
  static uint64_t departed_bytes(uint32_t blocks);

  boost::interprocess::mapped_region region_;
  uint32_t blocks_ = 0;
};

}  // namespace evs::shm
