// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/board.h - <bus>.board: what all processes of a host must know of its gateway, in one small mapped file.
//
//   holder         who has the gateway role: a member of the order ring's segment, in one life of its slot. The role is free when it names nobody, or one who is no
//                  member any more; death is proved there (docs/shm-layout.md B2), so a role needs no lock that a fork()ed child could keep
//   standing       a member whom the others leave the role to, `evs gateway`, while it is one
//   outbox_read    which outbox the role's reader has been placed in: from there on nothing in it is missed
//   changing       a change of the configuration is being appended, and what is published may be behind it
//   processes      the configuration of processes told last (local_records.h)
//
// Created empty, which is all zeros, by whoever comes first; never removed while the bus is in use. Any thread; `take_role` and what is published: the service
// thread of who holds the role.
#pragma once

#include <optional>
#include <string>

#include "bus/runtime/plugin_result.h"
#include "bus/runtime/uplink/local_records.h"
#include "bus/runtime/uplink/published.h"
#include "shm/directory.h"

namespace evs::runtime::uplink {

// What a file of the bus directory refuses, as the reason why this process has no bus.
inline PluginFailure failure_of(const shm::Status& status) { return {error_of_status(static_cast<int32_t>(status.code)), status.text}; }

// A member of a segment in one life: what the words of the board name.
struct Holder {
  uint32_t node = 0;         // slot + 1
  uint64_t incarnation = 0;  // segment << 32 | generation of the slot
  uint64_t word() const { return (incarnation >> 32) << 48 | (incarnation & 0xffffffffu) << 16 | node; }
};

class Board {
 public:
  static PluginResult<Board> open(const shm::Directory& directory, const std::string& bus);
  Board(Board&& other) noexcept;
  Board& operator=(Board&& other) noexcept;
  ~Board();

  uint64_t holder() const { return words_->holder.load(std::memory_order_seq_cst); }
  // `seen`: what holder() gave, and who is found to be gone; 0: free.
  bool take_role(uint64_t seen, const Holder& self) { return words_->holder.compare_exchange_strong(seen, self.word(), std::memory_order_seq_cst); }
  void leave_role(const Holder& self) {
    uint64_t mine = self.word();
    words_->holder.compare_exchange_strong(mine, 0, std::memory_order_seq_cst);
  }

  // A member that wants the role whoever has it (`evs gateway`); the others let it have it. 0: there is none.
  uint64_t standing() const { return words_->standing.load(std::memory_order_seq_cst); }
  void stand(const Holder& self) { words_->standing.store(self.word(), std::memory_order_seq_cst); }
  void stand_down(const Holder& self) {
    uint64_t mine = self.word();
    words_->standing.compare_exchange_strong(mine, 0, std::memory_order_seq_cst);
  }

  uint64_t outbox_read() const { return words_->outbox_read.load(std::memory_order_acquire); }
  void set_outbox_read(uint64_t outbox) { words_->outbox_read.store(outbox, std::memory_order_release); }

  void begin_change() { words_->changing.store(1, std::memory_order_seq_cst); }
  bool is_changing() const { return words_->changing.load(std::memory_order_seq_cst) != 0; }
  // False: more processes than there is room for.
  bool publish(const ProcessesInForce& configuration, uint64_t position);
  void end_change() { words_->changing.store(0, std::memory_order_seq_cst); }
  uint64_t processes_turn() const { return processes_.turn(); }
  // The configuration told last, and where it stands in the order ring; false: none yet.
  bool read(ProcessesInForce& configuration, uint64_t& position) const;

 private:
  struct Words {
    std::atomic<uint64_t> magic;
    alignas(64) std::atomic<uint64_t> holder;
    std::atomic<uint64_t> standing, outbox_read, changing;
    alignas(64) PublishedHead processes;
  };
  static constexpr size_t kProcessesRoom = 256 << 10, kWordsAt = 4096;
  static constexpr size_t kBytes = kWordsAt + 2 * kProcessesRoom;
  static_assert(sizeof(Words) <= kWordsAt);

  explicit Board(void* mapped);

  Words* words_ = nullptr;
  Published processes_;
};

}  // namespace evs::runtime::uplink
