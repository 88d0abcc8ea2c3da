// SPDX-License-Identifier: BSD-3-Clause
// shm/model/turn.h - one process makes one access to the segment, and what the spectator says to it.
//
// A Turn is made over a State that it may change: take(action) says whether the action is possible here; if so the
// State is the next moment, and violation() is null or the promise that was just broken. The roles are split by file:
// claim.cc (docs/shm-layout.md A1-A4), fill.cc (A5, A6), read.cc (B4, B7), walk.cc (B8, B9), member.cc (B1, B2, B8, B9
// and the faults), properties.cc (the promises). Waiting is a disabled action, so a state without any is a stuck one.
#pragma once
#include <algorithm>
#include <string>

#include "shm/model/instance.h"

namespace evs::shm::model {

// What may happen next: a process goes on (with a choice, where it has one), or a fault strikes it.
struct Action {
  uint8_t process;
  uint8_t choice;
};
inline constexpr uint8_t kChoiceGoOn = 0;    // also: read the next record
inline constexpr uint8_t kChoiceSend = 1;
inline constexpr uint8_t kChoiceNotice = 2;  // see that one's own slot is no longer LIVE
inline constexpr uint8_t kChoiceOpen = 3;    // a sleeper opens its cursor
inline constexpr uint8_t kChoiceReap = 4;    // + slot
inline constexpr uint8_t kChoiceAuthor = kChoiceReap + kSlots;
inline constexpr uint8_t kChoices = kChoiceAuthor + kSlots;  // faults from here on: they are no progress
inline constexpr uint8_t kFaultKill = kChoices;
inline constexpr uint8_t kFaultStop = kFaultKill + 1;
inline constexpr uint8_t kChoiceExpel = kFaultStop + 1;  // + slot
inline constexpr uint8_t kAllChoices = kChoiceExpel + kSlots;

// The latest in force as a spectator computes it from the decided prefix of the log.
struct Truth {
  uint8_t position, list;
  bool reached;  // `upto` is the first byte of a record, or of what nobody decided yet
};

class Turn {
 public:
  Turn(const Model& model, State& state, std::string* story = nullptr) : m_(model), s_(state), story_(story) {}

  bool take(Action action);
  const char* violation() const { return violation_; }
  bool pruned() const { return pruned_; }

  // Null: all that lives has done its work, and the tables agree with the log. Else why not.
  const char* unfinished() const;
  // A stopped process holds something that only it can give back: allowed (docs/shm-layout.md B3).
  bool held_by_stopped() const;

 private:
  // claim.cc
  void start_claim(Kind kind, uint8_t length);
  void claim_tail();
  void claim_intent();
  void scan_tail();
  void scan_slots();
  void scan_slot(const Slot& slot);
  void scan_covered();
  void claim_full();
  void claim_cas();
  void claim_write();
  void claim_commit(bool skip);
  void claim_clear();
  bool intent_counts(uint8_t cell) const;
  bool holds_intents(const Slot& slot) const;
  bool cursor_counts(const Slot& slot) const;
  uint8_t bound(bool& by_covered) const;
  bool room_for(uint8_t length) const;

  // fill.cc
  bool fill_would_succeed(uint8_t position) const;
  bool fill_worth(uint8_t position) const;
  void start_fill(uint8_t position, Pc returns);
  void fill_cell(const Slot& slot);
  void fill_step();

  // read.cc
  bool may_read() const;
  void read_next();
  void read_step();
  bool copy_unit(uint8_t record, uint8_t index) const;
  bool valid(uint8_t predecessor, uint8_t in_force) const;
  void publish_latest(uint8_t position, uint8_t list);

  // walk.cc
  void start_walk(Walk why);
  void after_start();
  bool may_walk() const;
  void walk_read();
  void walk_valid();
  void walk_step();
  void walk_ends();
  uint8_t next_lap(uint8_t position) const;

  // member.cc
  bool idle(uint8_t choice);
  bool reap(uint8_t slot);
  bool author(uint8_t slot);
  bool expel(uint8_t slot);
  bool fault(uint8_t choice);
  uint8_t reusable_slot() const;
  bool attach_step();
  void acknowledge();
  void go_idle();
  bool live() const { return own().state == SlotState::live && own().incarnation == me().incarnation; }

  // properties.cc
  void judge_claim(uint8_t end);
  void judge_fill(uint8_t position);
  void judge_delivery();
  void judge_newcomer();
  void judge_latest();
  void forget();
  const char* owes(uint8_t process) const;
  Truth truth(uint8_t upto) const;
  bool claim_open(const Process& process) const;
  bool cursor_settled(const Slot& slot) const;
  void decide(uint8_t position, Decided how);

  bool step();
  Process& me() { return s_.process[now_]; }
  const Process& me() const { return s_.process[now_]; }
  Slot& own() { return s_.slot[me().slot]; }
  const Slot& own() const { return s_.slot[me().slot]; }
  uint8_t at(uint8_t position) const { return static_cast<uint8_t>(position % m_.capacity()); }
  uint8_t& word(uint8_t position) { return s_.word[at(position)]; }
  uint8_t word(uint8_t position) const { return s_.word[at(position)]; }
  bool committed(uint8_t position) const { return commits(word(position), position); }
  bool lacks(Mutant which) const { return m_.breaks(which); }
  void fail(const char* what) {
    if (violation_ == nullptr) violation_ = what;
  }
  void tell(const char* format, ...) __attribute__((format(printf, 2, 3)));

  const Model& m_;
  State& s_;
  std::string* story_;
  uint8_t now_ = 0;
  const char* violation_ = nullptr;
  bool pruned_ = false;
};

}  // namespace evs::shm::model
