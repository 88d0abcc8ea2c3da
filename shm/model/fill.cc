// SPDX-License-Identifier: BSD-3-Clause
// shm/model/fill.cc - a survivor pads one unit that a dead process claimed and will never commit.
//
// docs/shm-layout.md A5: pin p; read the tail, all intents, the word, the tail again. Only if p < tail, the last tail is
// at most p + capacity, p is uncommitted, and either a DEAD member's cell owns p or no counted intent names p, the word is
// replaced, by CAS from the value read, by a pad. The order of the reads is the proof: who owns p had stored its intent
// before the tail passed p, and clears it only after its commit, so a live owner is seen by its intent or by its commit.
#include "shm/model/turn.h"

namespace evs::shm::model {

void Turn::start_fill(uint8_t position, Pc returns) {
  me().fill = position;
  me().fill_returns = static_cast<uint8_t>(returns);
  me().pc = Pc::fill_pin;
}

void Turn::fill_cell(const Slot& slot) {
  Process& p = me();
  if (slot.cell != p.fill) return;
  const bool owner_dead = slot.state == SlotState::dead;
  if (owner_dead && slot.cell_owns != 0) p.fill_owned = 1;
  if (holds_intents(slot) && !lacks(Mutant::fill_owner_unchecked)) p.fill_blocked = 1;
}

void Turn::fill_step() {
  Process& p = me();
  const bool allowed = p.fill_owned != 0 || p.fill_blocked == 0;
  switch (p.pc) {
    case Pc::fill_pin:
      if (!lacks(Mutant::fill_unpinned)) own().pin = p.fill;
      p.pc = Pc::fill_tail;
      tell("pins %d to fill it", p.fill);
      break;
    case Pc::fill_tail:
      p.pc = p.fill < s_.tail ? Pc::fill_cells : Pc::fill_unpin;
      p.fill_index = 0;
      tell("reads the tail: %d", s_.tail);
      break;
    case Pc::fill_cells: {
      const int last = m_.world->fine ? p.fill_index + 1 : m_.world->slots;
      for (int slot = p.fill_index; slot < last; ++slot) fill_cell(s_.slot[slot]);
      p.fill_index = static_cast<uint8_t>(last);
      tell("reads %s:%s%s", m_.world->fine ? "a slot's intents" : "all intents", p.fill_owned ? " a dead owner" : "",
           p.fill_blocked ? " a counted intent" : "");
      if (p.fill_index >= m_.world->slots) p.pc = Pc::fill_word;
      break;
    }
    case Pc::fill_word:
      p.fill_read = word(p.fill);
      p.pc = committed(p.fill) || (p.fill_owned == 0 && p.fill_blocked != 0) ? Pc::fill_unpin : Pc::fill_bound;
      tell("reads the word of %d: %s", p.fill, committed(p.fill) ? "committed" : "not committed");
      break;
    case Pc::fill_bound: {
      const bool lapped = s_.tail > p.fill + m_.capacity() && !lacks(Mutant::fill_bound_unchecked);
      p.pc = lapped || !allowed ? Pc::fill_unpin : Pc::fill_cas;
      tell("reads the tail again: %d%s", s_.tail, lapped ? ", lapped" : "");
      break;
    }
    case Pc::fill_cas:
      tell("CASes %d to a pad: %s", p.fill, word(p.fill) == p.fill_read ? "done" : "the word has changed");
      if (word(p.fill) == p.fill_read) {
        judge_fill(p.fill);
        word(p.fill) = commit_word(p.fill, Kind::pad);
        decide(p.fill, Decided::padded);
      }
      p.pc = Pc::fill_unpin;
      break;
    default:
      own().pin = kNone;
      p.tried = p.fill;
      p.pc = static_cast<Pc>(p.fill_returns);
      p.fill = p.fill_owned = p.fill_blocked = p.fill_read = p.fill_index = p.fill_returns = 0;
      tell("unpins");
      break;
  }
}

// Seen all at once; for waiting only. The first try at a unit is always made, later ones when they would get on.
bool Turn::fill_would_succeed(uint8_t position) const {
  if (position >= s_.tail || s_.tail > position + m_.capacity() || committed(position)) return false;
  bool owned = false;
  bool blocked = false;
  for (const Slot& slot : s_.slot) {
    if (slot.cell != position) continue;
    owned |= slot.state == SlotState::dead && slot.cell_owns != 0;
    blocked |= holds_intents(slot);
  }
  return owned || !blocked;
}

bool Turn::fill_worth(uint8_t position) const {
  return me().tried != position || fill_would_succeed(position);
}

}  // namespace evs::shm::model
