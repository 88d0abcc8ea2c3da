// SPDX-License-Identifier: BSD-3-Clause
// shm/model/state.h - one moment of a tiny ring: everything the segment holds, and everything each process holds.
//
// The model is the ring of docs/shm-layout.md with a buffer of four or eight units, records of one or two units and at
// most four processes. A State is plain bytes without padding: equal moments have equal bytes, so a hash of the bytes
// is the moment's name and the checker (checker.h) can tell whether it was there before. Each step of turn.h is one
// access to shared memory (sequentially consistent: what weaker orders may do is argued in docs/shm-layout.md, not here).
//
// Beside the real fields stand ghosts: what a spectator who sees all would note (who claimed which unit, what was
// written there). No step decides by a ghost; the properties (properties.cc) judge by them.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace evs::shm::model {

inline constexpr int kProcs = 4;
inline constexpr int kSlots = 4;
inline constexpr int kUnits = 8;        // the largest buffer of an instance
inline constexpr int kPositions = 40;   // positions ever claimed in one run; a run that needs more is pruned and counted
inline constexpr uint8_t kNone = 0xff;  // no position, no slot, no process

enum class Kind : uint8_t { message, membership, pad, skip };

// What stands in the first eight bytes of a unit. Positions are small here, so word and secret need no arithmetic: a
// commit word names position and kind, payload is one value that equals no commit word (docs/shm-layout.md A1).
inline constexpr uint8_t kZeroWord = 0;
inline constexpr uint8_t kPayloadWord = 0xff;
constexpr uint8_t commit_word(uint8_t position, Kind kind) {
  return static_cast<uint8_t>(1 + position * 4 + static_cast<uint8_t>(kind));
}
constexpr bool commits(uint8_t word, uint8_t position) {
  return word != kZeroWord && word != kPayloadWord && (word - 1) / 4 == position;
}
constexpr Kind kind_of(uint8_t word) { return static_cast<Kind>((word - 1) % 4); }
static_assert(commit_word(kPositions - 1, Kind::skip) < kPayloadWord);

// docs/shm-layout.md B1. `resting` is EXPELLED after its process acknowledged: nothing of it is open any more.
enum class SlotState : uint8_t { free, joining, live, expelled, resting, dead };

struct Slot {
  SlotState state;
  uint8_t incarnation;  // slot and generation in one: no two members ever share it
  uint8_t process;
  uint8_t cursor;
  uint8_t folded;      // the cursor's owner has folded all before it into the published latest (docs/shm-layout.md B9)
  uint8_t pin;         // what a fill holds
  uint8_t cell;        // the intent: a position or kNone
  uint8_t cell_owns;   // "owner of it"
  uint8_t author;      // who owes the leave record
  uint8_t left;        // where the leave was in force, plus one; 0: not yet
};

// Where in its program a process stands: the access that it makes next.
enum class Pc : uint8_t {
  outside, idle, gone,
  claim_tail, claim_intent, scan_tail, scan_slots, scan_covered, claim_full, claim_cas, claim_mark, claim_write,
  claim_commit, claim_commit_skip, claim_clear,
  fill_pin, fill_tail, fill_cells, fill_word, fill_bound, fill_cas, fill_unpin,
  read_copy, read_generation, read_latest, read_publish,
  walk_start, walk_cursors, walk_latest, walk_read, walk_copy, walk_valid, walk_fold, walk_covered, walk_cursor,
  attach_take, attach_tail, attach_pin, attach_again, attach_cursor, attach_parked, attach_live,
  leave_mark, acknowledge, count_
};

// Why a walk is made (docs/shm-layout.md B9), and what follows when it reached its end.
enum class Walk : uint8_t { none, fold, attach, open_cursor, leave };

struct Process {
  Pc pc;
  uint8_t dead;
  uint8_t stopped;
  uint8_t slot;
  uint8_t incarnation;
  uint8_t sent;    // messages of its script that are done
  uint8_t opened;  // a late cursor was opened
  uint8_t parked;  // the last claim found no room
  uint8_t tried;   // the last position whose fill did not succeed
  uint8_t limit;   // cached: the end of a claim may not pass it without a scan
  // The claim in hand.
  uint8_t kind, length, position, record, end, index;
  uint8_t lowest, highest, tail_seen, by_covered;
  uint8_t predecessor, list;
  // The fill in hand.
  uint8_t fill, fill_owned, fill_blocked, fill_read, fill_index, fill_returns;
  // What the reader believes, and the record it is reading.
  uint8_t view_position, view_list, read_kind, read_next, torn;
  // The walk in hand.
  Walk walk;
  uint8_t walk_at, walk_position, walk_list, walk_own, walk_slot, walk_incarnation;
};

// Ghost: the claim that a unit belongs to, and what the ring has decided about it.
enum class Part : uint8_t { unclaimed, record, skip, inner };
enum class Decided : uint8_t { open, committed, padded };
struct Unit {
  Part part;
  Decided decided;
  Kind kind;
  uint8_t length, process, incarnation, predecessor, list, marked;
};

struct State {
  uint8_t tail, covered, latest_position, latest_list;  // the last two: the published latest, replaced as one
  uint8_t lock, next_incarnation, kills, stops, expulsions;
  uint8_t floor, floor_position, floor_list;  // ghosts: units below `floor` are forgotten; the latest in force there
  std::array<uint8_t, kUnits> word, body;     // body: the position of the record that wrote it last
  std::array<Slot, kSlots> slot;
  std::array<Process, kProcs> process;
  std::array<Unit, kPositions> unit;
};
static_assert(alignof(State) == 1, "bytes only: equal moments have equal bytes");

struct Hash {
  uint64_t a, b;
};
Hash hash(const State& state);

}  // namespace evs::shm::model
