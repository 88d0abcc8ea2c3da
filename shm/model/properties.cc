// SPDX-License-Identifier: BSD-3-Clause
// shm/model/properties.cc - the promises, judged by a spectator who sees every unit ever claimed.
//
// 1. What a live reader delivers at a position is what the log decided there: whole, from a record's beginning, and the
//    membership it believes in is the one in force there. Since each reader goes from record to record, all readers
//    deliver one sequence, nothing is repeated or reordered, and a newcomer's view is that of all others.
// 2. A message of a process whose slot is still LIVE is never skipped, nor a unit of a writer that may still write padded.
// 3. No claim reaches around to what a live reader has not read or a living writer may still write.
// 4. When nobody can go on, all is done: nothing owed, no record undelivered, the list in force is those who live.
// 5. (inner_checks) All before `covered` and before a folded cursor is in the published latest; tail <= covered + capacity.
#include "shm/model/turn.h"

namespace evs::shm::model {

// The latest in force before `upto`, computed from the log alone.
Truth Turn::truth(uint8_t upto) const {
  Truth known{s_.floor_position, s_.floor_list, true};
  uint8_t position = s_.floor;
  while (position < upto && known.reached) {
    const Unit& unit = s_.unit[position];
    if (unit.decided == Decided::padded) {
      ++position;
    } else if (unit.decided == Decided::committed && unit.part != Part::inner) {
      const bool changes = unit.part == Part::record && unit.kind == Kind::membership;
      if (changes && valid(unit.predecessor, known.position)) {
        known.position = position;
        known.list = unit.list;
      }
      position = static_cast<uint8_t>(position + unit.length);
    } else {
      known.reached = false;
    }
  }
  known.reached = known.reached && position == upto;
  return known;
}

bool Turn::claim_open(const Process& process) const {
  if (process.dead != 0) return false;
  return process.pc == Pc::claim_mark || process.pc == Pc::claim_write || process.pc == Pc::claim_commit ||
         process.pc == Pc::claim_commit_skip;
}

// The reader relies on what stands behind its cursor from the moment on that the rules say so (docs/shm-layout.md B9).
bool Turn::cursor_settled(const Slot& slot) const {
  if (slot.cursor == kNone || (slot.state != SlotState::live && slot.state != SlotState::joining)) return false;
  const Process& owner = s_.process[slot.process];
  return owner.dead == 0 && owner.pc != Pc::attach_pin && owner.pc != Pc::attach_again && owner.pc != Pc::attach_cursor;
}

void Turn::judge_claim(uint8_t end) {
  for (const Slot& slot : s_.slot) {
    if (cursor_settled(slot) && end > slot.cursor + m_.capacity()) fail("a claim laps what a live reader has yet to read");
  }
  for (const Process& other : s_.process) {
    if (&other == &me() || !claim_open(other)) continue;
    if (end > other.position + m_.capacity()) fail("a claim laps what a living writer may still write");
  }
  if (m_.inner_checks && end > s_.covered + m_.capacity()) fail("inner: the tail passed covered + capacity");
}

void Turn::judge_fill(uint8_t position) {
  if (s_.tail > position + m_.capacity()) return fail("a fill strikes a later lap");
  const Unit& unit = s_.unit[position];
  if (unit.decided != Decided::open) return fail("a fill strikes a decided unit");
  const Process& owner = s_.process[unit.process];
  if (claim_open(owner) && owner.position <= position && position < owner.end) fail("a unit of a living writer is padded");
}

void Turn::decide(uint8_t position, Decided how) {
  Unit& unit = s_.unit[position];
  if (unit.decided != Decided::open) fail("a unit is decided twice");
  unit.decided = how;
}

void Turn::judge_delivery() {
  const Process& p = me();
  const uint8_t position = p.record;
  const Truth here = truth(position);
  const Kind kind = static_cast<Kind>(p.read_kind);
  const Unit& unit = s_.unit[position];
  if (p.torn != 0) return fail("a torn record is delivered");
  if (!here.reached) return fail("a reader stands beyond what is decided, or where no record begins");
  const bool padded = unit.decided == Decided::padded;
  const Kind decided = padded ? Kind::pad : unit.part == Part::skip ? Kind::skip : unit.kind;
  if (unit.decided == Decided::open || decided != kind) return fail("a reader saw another record than the log holds");
  if (here.position != p.view_position || here.list != p.view_list) return fail("a reader's membership is not the one in force");
  if (kind != Kind::message || (p.view_list >> unit.incarnation & 1) != 0) return;
  const Process& author = s_.process[unit.process];
  const bool member = author.dead == 0 && author.incarnation == unit.incarnation && author.slot != kNone &&
                      s_.slot[author.slot].state == SlotState::live;
  if (member) fail("a live member's message is skipped");
}

void Turn::judge_newcomer() {
  const Truth here = truth(own().cursor);
  if (!here.reached) return fail("a newcomer begins where no record begins");
  if (here.position != me().view_position || here.list != me().view_list) {
    fail("a newcomer's membership is not the one in force at its join");
  }
}

void Turn::judge_latest() {
  if (!m_.inner_checks) return;
  const auto folded_before = [&](uint8_t position) {
    const Truth known = truth(position);
    return known.reached && known.position <= s_.latest_position;
  };
  if (s_.covered > s_.floor && !folded_before(s_.covered)) fail("inner: a membership before covered is not in the latest");
  for (const Slot& slot : s_.slot) {
    if (slot.state != SlotState::live || slot.folded == 0 || slot.cursor == kNone || slot.cursor <= s_.floor) continue;
    if (s_.process[slot.process].dead == 0 && !folded_before(slot.cursor)) fail("inner: a cursor passed what is not in the latest");
  }
}

// Units that nobody can look at any more are forgotten, so that different pasts with one future are one state.
void Turn::forget() {
  uint8_t keep = std::min(s_.covered, static_cast<uint8_t>(std::max(0, s_.tail - m_.capacity())));
  for (const Slot& slot : s_.slot) {
    if (slot.cursor == kNone || s_.process[slot.process].dead != 0) continue;
    if (slot.state == SlotState::live || slot.state == SlotState::joining) keep = std::min(keep, slot.cursor);
  }
  for (const Process& process : s_.process) {
    if (process.dead != 0) continue;
    if (process.walk != Walk::none && process.walk_at != 0) keep = std::min(keep, process.walk_at);
    const bool reads = process.pc >= Pc::read_copy && process.pc <= Pc::read_publish;
    if (reads && process.record != 0) keep = std::min(keep, process.record);
    if (claim_open(process)) keep = std::min(keep, process.position);
  }
  while (s_.floor < keep) {
    const Unit& unit = s_.unit[s_.floor];
    const bool padded = unit.decided == Decided::padded;
    const uint8_t next = static_cast<uint8_t>(s_.floor + (padded ? 1 : unit.length));
    if (unit.decided == Decided::open || (unit.part == Part::inner && !padded) || next > keep) return;
    const Truth after = truth(next);
    for (uint8_t position = s_.floor; position < next; ++position) s_.unit[position] = Unit{};
    s_.floor = next;
    s_.floor_position = after.position;
    s_.floor_list = after.list;
  }
}

// What one process has yet to do, or null.
const char* Turn::owes(uint8_t index) const {
  const Process& p = s_.process[index];
  if (p.dead != 0 || p.stopped != 0 || p.pc == Pc::gone) return nullptr;
  // No slot for it: it was refused.
  if (p.pc == Pc::attach_take && s_.lock == kNone && reusable_slot() == kNone) return nullptr;
  if (p.pc != Pc::idle) return "stuck: a call never returns";
  const Slot& slot = s_.slot[p.slot];
  if (slot.state != SlotState::live) return "stuck: a process never learns that it is no member any more";
  if (p.sent < 6 && m_.world->script[index][p.sent] != 0) return "stuck: the ring is full for ever";
  if (m_.world->role[index] == Role::sleeper && p.opened == 0) return "stuck: a cursor is never opened";
  if (slot.cursor != kNone && slot.cursor != s_.tail) return "stuck: a reader never gets on";
  return nullptr;
}

const char* Turn::unfinished() const {
  uint8_t living = 0;
  for (uint8_t index = 0; index < kProcs; ++index) {
    const Process& p = s_.process[index];
    if (m_.world->role[index] == Role::absent) continue;
    if (const char* what = owes(index)) return what;
    if (p.dead == 0 && p.stopped == 0 && p.pc == Pc::idle) living = static_cast<uint8_t>(living | 1u << p.incarnation);
  }
  if (living == 0) return nullptr;
  uint8_t members = 0;
  for (const Slot& slot : s_.slot) {
    if (slot.state == SlotState::free) continue;
    if (slot.state == SlotState::live) {
      if (s_.process[slot.process].dead != 0) return "a dead process stays a member";
      members = static_cast<uint8_t>(members | 1u << slot.incarnation);
    } else if (slot.state == SlotState::joining) {
      return "stuck: a newcomer never becomes a member";
    } else if (slot.left == 0) {
      return "stuck: a leave record is owed for ever";
    }
  }
  // A tail that nobody reads may hold an undecided unit of a dead sender: nobody needs it decided yet.
  const Truth known = truth(s_.tail);
  return known.reached && known.list != members ? "all is done, and the list in force is not those who live" : nullptr;
}

bool Turn::held_by_stopped() const {
  for (const Process& p : s_.process) {
    if (p.stopped == 0 || p.dead != 0 || p.slot == kNone) continue;
    const Slot& slot = s_.slot[p.slot];
    if (slot.state == SlotState::dead) continue;
    if (claim_open(p) || slot.pin != kNone || s_.lock == &p - s_.process.data()) return true;
    const bool holds_cursor = slot.cursor != kNone || slot.state == SlotState::joining;
    if (holds_cursor && (slot.state == SlotState::live || slot.state == SlotState::joining)) return true;
    // It may be the owner for all that anyone can know: its dead rival never marked its cell (docs/shm-layout.md A6).
    const bool named = slot.cell != kNone && slot.cell < s_.tail && !committed(slot.cell);
    if (named && s_.tail <= slot.cell + m_.capacity() && s_.unit[slot.cell].marked == 0) return true;
    for (const Slot& other : s_.slot) {
      const bool owes = other.state != SlotState::free && other.state != SlotState::live && other.left == 0;
      if (owes && &s_.process[other.author] == &p && slot.state == SlotState::live) return true;
    }
  }
  return false;
}

}  // namespace evs::shm::model
