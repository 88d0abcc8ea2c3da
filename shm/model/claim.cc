// SPDX-License-Identifier: BSD-3-Clause
// shm/model/claim.cc - a writer takes a stretch of the ring, writes it and commits it.
//
// docs/shm-layout.md A3, one access a step: read the tail; see that there is room (A2), by the cached limit or by a scan;
// store the intent; CAS the tail; mark the cell as owner; write unit by unit; commit; for a record at the buffer's end
// commit the skip last (A4); clear the intent. A losing CAS starts over with the old intent still standing, so stale
// intents of losers are part of every instance with two writers.
#include "shm/model/turn.h"

namespace evs::shm::model {

uint8_t Turn::next_lap(uint8_t position) const {
  return static_cast<uint8_t>(position - at(position) + m_.capacity());
}

void Turn::start_claim(Kind kind, uint8_t length) {
  me().kind = static_cast<uint8_t>(kind);
  me().length = length;
  me().pc = Pc::claim_tail;
}

void Turn::claim_tail() {
  Process& p = me();
  p.position = s_.tail;
  const uint8_t rest = static_cast<uint8_t>(m_.capacity() - at(p.position));
  // A4: what does not fit before the end is claimed together with the rest of the lap.
  p.record = p.length <= rest ? p.position : static_cast<uint8_t>(p.position + rest);
  p.end = static_cast<uint8_t>(p.record + p.length);
  if (p.end > kPositions) pruned_ = true;
  // The cached limit is private: looking at it is no step of its own.
  const bool known = p.end <= p.limit || lacks(Mutant::room_unchecked);
  p.pc = known ? Pc::claim_intent : Pc::scan_tail;
  tell("reads the tail: %d%s", p.position, known ? ", room known" : "");
}

void Turn::claim_intent() {
  Process& p = me();
  if (!lacks(Mutant::no_intent)) {
    own().cell = p.position;
    own().cell_owns = 0;
  }
  p.pc = Pc::claim_cas;
  tell("stores its intent at %d", p.position);
}

// A6. Nothing of a DEAD slot holds the ring; of an EXPELLED one its pins and intents do, its cursor does not.
bool Turn::holds_intents(const Slot& slot) const {
  switch (slot.state) {
    case SlotState::live: return true;
    case SlotState::joining: return !lacks(Mutant::joining_ignored);
    case SlotState::expelled: return !lacks(Mutant::expelled_intents_ignored);
    case SlotState::dead: return lacks(Mutant::dead_intents_count);
    default: return false;
  }
}

bool Turn::cursor_counts(const Slot& slot) const {
  if (slot.cursor == kNone) return false;
  switch (slot.state) {
    case SlotState::live: return true;
    case SlotState::joining: return !lacks(Mutant::joining_ignored);
    case SlotState::expelled:
    case SlotState::resting: return lacks(Mutant::expelled_cursors_count);
    case SlotState::dead: return lacks(Mutant::dead_cursors_count);
    default: return false;
  }
}

// A6: a stopped loser must not hold the ring for ever, so an intent counts only while its unit is undecided.
bool Turn::intent_counts(uint8_t cell) const {
  if (cell == kNone) return false;
  if (lacks(Mutant::loser_counts_for_ever)) return true;
  return !committed(cell) && s_.tail <= cell + m_.capacity();
}

void Turn::scan_tail() {
  Process& p = me();
  p.tail_seen = s_.tail;
  p.index = 0;
  p.lowest = kNone;
  p.highest = 0;
  p.pc = Pc::scan_slots;
  tell("begins a scan: tail %d", s_.tail);
}

void Turn::scan_slot(const Slot& slot) {
  Process& p = me();
  if (cursor_counts(slot)) p.lowest = std::min(p.lowest, slot.cursor);
  if (slot.cursor != kNone && slot.folded && slot.state == SlotState::live) p.highest = std::max(p.highest, slot.cursor);
  if (!holds_intents(slot)) return;
  if (slot.pin != kNone && !lacks(Mutant::pins_ignored)) p.lowest = std::min(p.lowest, slot.pin);
  // One's own open cell says no more than the tail seen, which bounds the limit anyway.
  if (slot.process != now_ && intent_counts(slot.cell)) p.lowest = std::min(p.lowest, slot.cell);
}

void Turn::scan_slots() {
  Process& p = me();
  const int last = m_.world->fine ? p.index + 1 : m_.world->slots;
  for (int slot = p.index; slot < last; ++slot) scan_slot(s_.slot[slot]);
  p.index = static_cast<uint8_t>(last);
  if (p.index >= m_.world->slots) p.pc = Pc::scan_covered;
  tell("scans %s: lowest %d", m_.world->fine ? "a slot" : "the slots", p.lowest == kNone ? -1 : p.lowest);
}

// A2, and B8 "covered": who scans raises `covered` to the highest cursor whose owner has folded so far, before the limit
// is used. So the tail never passes covered + capacity, and a walk from covered can always be read, whoever dies.
void Turn::scan_covered() {
  Process& p = me();
  if (!lacks(Mutant::covered_not_raised)) s_.covered = std::max(s_.covered, p.highest);
  const uint8_t covered = std::max(s_.covered, p.highest);
  p.by_covered = covered < p.lowest && !lacks(Mutant::covered_uncounted);
  uint8_t lowest = p.by_covered ? covered : p.lowest;
  if (!lacks(Mutant::limit_unbounded)) lowest = std::min(lowest, p.tail_seen);
  p.limit = lowest == kNone ? kNone : static_cast<uint8_t>(lowest + m_.capacity());
  p.pc = p.end <= p.limit ? Pc::claim_intent : Pc::claim_full;
  p.lowest = p.highest = p.tail_seen = p.index = 0;
  tell("ends the scan: covered %d, limit %d", s_.covered, p.limit);
}

// Nobody waits while holding a claim: the intent of a lost CAS goes, and the caller hears TRY_AGAIN.
void Turn::claim_full() {
  Process& p = me();
  if (!lacks(Mutant::intent_not_cleared)) own().cell = kNone;
  p.parked = 1;
  tell("TRY_AGAIN, clears its intent");
  const bool fold = p.by_covered;
  p.by_covered = 0;
  if (p.walk == Walk::attach) {
    p.pc = Pc::attach_parked;
  } else {
    const bool message = static_cast<Kind>(p.kind) == Kind::message;
    if (message && (m_.world->gives_up >> now_ & 1) != 0) {
      ++p.sent;
      p.parked = 0;
    }
    go_idle();
    if (fold) start_walk(Walk::fold);
  }
}

void Turn::claim_cas() {
  Process& p = me();
  if (s_.tail != p.position) {
    p.pc = Pc::claim_tail;
    tell("loses the CAS at %d: the tail is %d", p.position, s_.tail);
    return;
  }
  s_.tail = p.end;
  for (uint8_t position = p.position; position < p.end; ++position) {
    Unit& unit = s_.unit[position];
    unit = Unit{};
    unit.part = position == p.record ? Part::record : position == p.position ? Part::skip : Part::inner;
    unit.kind = static_cast<Kind>(p.kind);
    unit.length = unit.part == Part::skip ? static_cast<uint8_t>(p.record - p.position) : p.length;
    unit.process = now_;
    unit.incarnation = p.incarnation;
    unit.predecessor = p.predecessor;
    unit.list = p.list;
  }
  judge_claim(p.end);
  p.index = 0;
  p.pc = Pc::claim_mark;
  tell("claims [%d, %d)", p.position, p.end);
}

// The body names the record that wrote it; the word of an inner unit is payload, and may hold anything: also what the
// same unit held a lap ago.
void Turn::claim_write() {
  Process& p = me();
  const uint8_t position = static_cast<uint8_t>(p.record + p.index);
  s_.body[at(position)] = p.record;
  if (p.index > 0) {
    const int next = position + m_.capacity();
    const bool forged = lacks(Mutant::commit_without_secret) && next < kPositions;
    word(position) = forged ? commit_word(static_cast<uint8_t>(next), Kind::message) : kPayloadWord;
  }
  tell("writes unit %d", position);
  if (++p.index < p.length) return;
  p.index = 0;
  const bool skip_first = p.record != p.position && lacks(Mutant::skip_first);
  p.pc = skip_first ? Pc::claim_commit_skip : Pc::claim_commit;
}

// A plain store: nobody fills while the owner lives (A5), so there is nothing to lose a race against.
void Turn::claim_commit(bool skip) {
  Process& p = me();
  const uint8_t position = skip ? p.position : p.record;
  word(position) = commit_word(position, skip ? Kind::skip : static_cast<Kind>(p.kind));
  decide(position, Decided::committed);
  const bool first_of_two = p.record != p.position && skip == lacks(Mutant::skip_first);
  p.pc = !first_of_two ? Pc::claim_clear : skip ? Pc::claim_commit : Pc::claim_commit_skip;
  tell("commits %s at %d", skip ? "the skip" : "the record", position);
}

void Turn::claim_clear() {
  Process& p = me();
  own().cell = kNone;
  own().cell_owns = 0;
  p.parked = 0;
  const uint8_t record = p.record;
  const bool message = static_cast<Kind>(p.kind) == Kind::message;
  p.kind = p.length = p.position = p.record = p.end = p.index = p.predecessor = p.list = 0;
  tell("clears its intent");
  if (message) {
    ++p.sent;
    go_idle();
    return;
  }
  // A membership record: read on until one's own is passed, for it may have been overtaken (B8).
  if (s_.lock == now_) s_.lock = kNone;
  p.walk_own = record;
  p.pc = Pc::walk_read;
}

// What a scan made now, in one piece, would answer. For waiting only: a parked claim starts again when it would pass.
uint8_t Turn::bound(bool& by_covered) const {
  State copy = s_;
  Turn probe(m_, copy);
  probe.now_ = now_;
  probe.scan_tail();
  for (int slot = 0; slot < m_.world->slots; ++slot) probe.scan_slot(copy.slot[slot]);
  probe.me().end = 0;
  probe.scan_covered();
  by_covered = probe.me().by_covered != 0;
  return probe.me().limit;
}

bool Turn::room_for(uint8_t length) const {
  const uint8_t rest = static_cast<uint8_t>(m_.capacity() - at(s_.tail));
  const uint8_t end = static_cast<uint8_t>(s_.tail + (length <= rest ? length : rest + length));
  bool by_covered = false;
  if (end <= bound(by_covered)) return true;
  if (!by_covered) return false;
  // Full because of `covered`: worth a try if a fold from there would get on.
  uint8_t from = s_.covered;
  for (const Slot& slot : s_.slot) {
    if (slot.state == SlotState::live && slot.folded && slot.cursor != kNone) from = std::max(from, slot.cursor);
  }
  return from < s_.tail && (committed(from) || s_.tail > from + m_.capacity() || fill_would_succeed(from));
}

}  // namespace evs::shm::model
