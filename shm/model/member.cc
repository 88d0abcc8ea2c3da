// SPDX-License-Identifier: BSD-3-Clause
// shm/model/member.cc - coming, going, and being struck: slots, proof of death, leaves, expulsion, attach, the faults.
//
// docs/shm-layout.md B1, B2, B7-B9. A proof of death is a step that is possible once the process is dead (the kernel
// said so) and sets DEAD before anything else; who wins it owes the leave record, and when that one is no longer a LIVE
// member, the next takes it over. A stopped process just makes no steps any more: nobody can tell it from a slow one.
#include <cstdarg>
#include <cstdio>

#include "shm/model/turn.h"

namespace evs::shm::model {

bool Turn::take(Action action) {
  now_ = action.process;
  Process& p = me();
  if (m_.world->role[now_] == Role::absent || p.dead != 0 || p.stopped != 0) return false;
  const uint8_t choice = action.choice;
  const bool waits = p.pc == Pc::walk_read || p.pc == Pc::attach_parked || p.pc == Pc::attach_take;
  bool done = false;
  if (choice == kFaultKill || choice == kFaultStop) {
    done = fault(choice);
  } else if (p.pc == Pc::idle) {
    done = idle(choice);
  } else if (choice == kChoiceGoOn) {
    done = step();
  } else if (waits && choice >= kChoiceReap && choice < kChoiceAuthor) {
    done = reap(static_cast<uint8_t>(choice - kChoiceReap));
  }
  if (done) forget();
  return done;
}

bool Turn::idle(uint8_t choice) {
  Process& p = me();
  if (choice == kChoiceGoOn) {
    if (!may_read()) return false;
    read_next();
    return true;
  }
  if (choice == kChoiceSend) {
    const uint8_t length = p.sent < 6 ? m_.world->script[now_][p.sent] : 0;
    if (length == 0 || !live() || (p.parked != 0 && !room_for(length))) return false;
    tell("sends a message of %d", length);
    start_claim(Kind::message, length);
    return true;
  }
  if (choice == kChoiceNotice) {
    if (own().state != SlotState::expelled && own().state != SlotState::dead) return false;
    tell("sees that it was expelled");
    go_idle();
    p.pc = Pc::acknowledge;
    return true;
  }
  if (choice == kChoiceOpen) {
    if (m_.world->role[now_] != Role::sleeper || p.opened != 0 || !live()) return false;
    tell("wants a cursor");
    p.walk = Walk::open_cursor;
    p.pc = Pc::attach_tail;
    return true;
  }
  if (choice >= kChoiceExpel) return expel(static_cast<uint8_t>(choice - kChoiceExpel));
  if (choice >= kChoiceAuthor) return author(static_cast<uint8_t>(choice - kChoiceAuthor));
  return reap(static_cast<uint8_t>(choice - kChoiceReap));
}

// B2: DEAD by CAS, before anything else. (The mutant takes silence for death.)
bool Turn::reap(uint8_t index) {
  Slot& slot = s_.slot[index];
  if (slot.state == SlotState::free || slot.state == SlotState::dead || slot.process == now_) return false;
  if ((m_.world->spared >> now_ & 1) != 0) return false;
  const bool proven = s_.process[slot.process].dead != 0 || lacks(Mutant::fill_proof_unneeded);
  if (!proven) return false;
  if (slot.state == SlotState::live || slot.state == SlotState::joining) slot.author = now_;
  slot.state = SlotState::dead;
  tell("proves the death of %d", slot.process);
  return true;
}

// B8: one author a leave; a successor when the author itself is no longer a live member.
bool Turn::author(uint8_t index) {
  Slot& slot = s_.slot[index];
  const bool owed = slot.state == SlotState::dead || slot.state == SlotState::expelled || slot.state == SlotState::resting;
  if (!owed || slot.left != 0 || !live() || (m_.world->spared >> now_ & 1) != 0) return false;
  if (slot.author != now_) {
    const Process& other = s_.process[slot.author];
    const bool there = other.dead == 0 && other.slot != kNone && s_.slot[other.slot].state == SlotState::live;
    if (there || lacks(Mutant::author_not_replaced)) return false;
  }
  if (me().parked != 0 && !room_for(1)) return false;
  slot.author = now_;
  me().walk_slot = index;
  me().walk_incarnation = slot.incarnation;
  start_walk(Walk::leave);
  tell("will write the leave of %d", slot.process);
  return true;
}

bool Turn::expel(uint8_t index) {
  if (index >= kSlots || s_.expulsions == 0 || !live()) return false;
  Slot& slot = s_.slot[index];
  if (slot.state != SlotState::live || slot.process == now_) return false;
  if ((m_.world->may_be_expelled >> slot.process & 1) == 0) return false;
  if ((m_.world->may_expel >> now_ & 1) == 0) return false;
  --s_.expulsions;
  slot.state = SlotState::expelled;
  slot.author = now_;
  tell("expels %d", slot.process);
  return true;
}

bool Turn::fault(uint8_t choice) {
  Process& p = me();
  const bool there = p.slot != kNone && p.pc != Pc::gone;
  if (!there) return false;
  if (choice == kFaultStop) {
    if (s_.stops == 0 || (m_.world->may_stop >> now_ & 1) == 0) return false;
    --s_.stops;
    p.stopped = 1;
    tell("is stopped");
    return true;
  }
  if (s_.kills == 0 || (m_.world->may_die >> now_ & 1) == 0) return false;
  --s_.kills;
  if (s_.lock == now_) s_.lock = kNone;
  const Process corpse = p;
  p = Process{};
  p.dead = 1;
  p.pc = Pc::gone;
  p.slot = corpse.slot;
  p.incarnation = corpse.incarnation;
  tell("is killed");
  return true;
}

// B1: a slot is used again once its leave is in force and all live handles are past it.
uint8_t Turn::reusable_slot() const {
  for (uint8_t index = 0; index < m_.world->slots; ++index) {
    const Slot& slot = s_.slot[index];
    if (slot.state == SlotState::free) return index;
    const bool over = slot.state == SlotState::dead || slot.state == SlotState::resting;
    if (!over) continue;
    if (lacks(Mutant::reuse_before_leave) && slot.state == SlotState::dead) return index;
    bool past = slot.left != 0;
    for (const Slot& reader : s_.slot) {
      if (reader.state == SlotState::live && reader.cursor != kNone && reader.cursor < slot.left) past = false;
    }
    if (past) return index;
  }
  return kNone;
}

bool Turn::attach_step() {
  Process& p = me();
  switch (p.pc) {
    case Pc::attach_take: {
      const uint8_t index = reusable_slot();
      if (s_.lock != kNone || index == kNone || s_.next_incarnation >= 8) return false;
      s_.lock = now_;
      Slot& slot = s_.slot[index];
      slot = Slot{SlotState::joining, s_.next_incarnation++, now_, kNone, 0, kNone, kNone, 0, 0, 0};
      p.slot = index;
      p.incarnation = slot.incarnation;
      p.limit = p.parked = p.tried = 0;
      p.walk = Walk::attach;
      p.pc = Pc::attach_tail;
      tell("takes the lock and slot %d as %d", index, slot.incarnation);
      return true;
    }
    case Pc::attach_tail:
      p.position = s_.tail;
      p.pc = Pc::attach_pin;
      tell("reads the tail: %d", s_.tail);
      return true;
    case Pc::attach_pin:
      if (!lacks(Mutant::attach_unpinned)) own().cursor = p.position;
      p.pc = lacks(Mutant::attach_not_reread) ? Pc::attach_cursor : Pc::attach_again;
      tell("pins %d", p.position);
      return true;
    case Pc::attach_again:
      p.position = s_.tail;
      p.pc = Pc::attach_cursor;
      tell("reads the tail again: %d", s_.tail);
      return true;
    case Pc::attach_cursor:
      own().cursor = p.position;
      p.position = 0;
      start_walk(p.walk);
      tell("its cursor begins at %d", own().cursor);
      return true;
    case Pc::attach_parked:
      // Its own cursor may be what holds the ring: it walks on as long as there is anything to pass.
      if (p.walk_at >= s_.tail ? !room_for(1) : !may_walk()) return false;
      p.pc = Pc::walk_read;
      tell("walks on to the tail");
      return true;
    default:
      if (own().state != SlotState::joining) {
        go_idle();
        p.pc = Pc::acknowledge;
        tell("was expelled while joining");
        return true;
      }
      own().state = SlotState::live;
      p.view_position = p.walk_position;
      p.view_list = p.walk_list;
      go_idle();
      tell("is a member; its view is that of %d", p.view_position);
      judge_newcomer();
      return true;
  }
}

void Turn::acknowledge() {
  Process& p = me();
  // Nothing of the old slot is open here: one thread a process, and it is in no call.
  if (own().state == SlotState::expelled) own().state = SlotState::resting;
  const bool again = (m_.world->rejoins >> now_ & 1) != 0;
  const uint8_t sent = p.sent;
  if (s_.lock == now_) s_.lock = kNone;
  p = Process{};
  p.sent = sent;
  p.slot = kNone;
  p.pc = again ? Pc::attach_take : Pc::gone;
  tell("acknowledges%s", again ? " and will rejoin" : "");
}

// What a finished call leaves behind is cleared, so that equal moments are equal bytes.
void Turn::go_idle() {
  Process& p = me();
  const Process was = p;
  p = Process{};
  p.pc = Pc::idle;
  p.slot = was.slot;
  p.incarnation = was.incarnation;
  p.sent = was.sent;
  p.opened = was.opened;
  p.parked = was.parked;
  p.tried = was.tried;
  p.limit = was.limit;
  p.view_position = was.view_position;
  p.view_list = was.view_list;
}

bool Turn::step() {
  Process& p = me();
  switch (p.pc) {
    case Pc::claim_tail: claim_tail(); return true;
    case Pc::claim_intent: claim_intent(); return true;
    case Pc::scan_tail: scan_tail(); return true;
    case Pc::scan_slots: scan_slots(); return true;
    case Pc::scan_covered: scan_covered(); judge_latest(); return true;
    case Pc::claim_full: claim_full(); return true;
    case Pc::claim_cas: claim_cas(); return true;
    case Pc::claim_mark:
      if (!lacks(Mutant::no_owner_mark)) own().cell_owns = 1;
      for (uint8_t position = p.position; position < p.end; ++position) s_.unit[position].marked = 1;
      p.pc = Pc::claim_write;
      tell("marks its cell as owner of %d", p.position);
      return true;
    case Pc::claim_write: claim_write(); return true;
    case Pc::claim_commit: claim_commit(false); return true;
    case Pc::claim_commit_skip: claim_commit(true); return true;
    case Pc::claim_clear: claim_clear(); return true;
    case Pc::fill_pin: case Pc::fill_tail: case Pc::fill_cells: case Pc::fill_word: case Pc::fill_bound:
    case Pc::fill_cas: case Pc::fill_unpin: fill_step(); return true;
    case Pc::read_copy: case Pc::read_generation: case Pc::read_latest: case Pc::read_publish: read_step(); return true;
    case Pc::walk_read:
      if (!may_walk()) return false;
      walk_read();
      return true;
    case Pc::walk_valid: walk_valid(); return true;
    case Pc::walk_start: case Pc::walk_cursors: case Pc::walk_latest: case Pc::walk_copy: case Pc::walk_fold:
    case Pc::walk_covered: case Pc::walk_cursor: walk_step(); return true;
    case Pc::attach_take: case Pc::attach_tail: case Pc::attach_pin: case Pc::attach_again: case Pc::attach_cursor:
    case Pc::attach_parked: case Pc::attach_live: return attach_step();
    case Pc::leave_mark: {
      Slot& slot = s_.slot[p.walk_slot];
      if (slot.incarnation == p.walk_incarnation && slot.left == 0) slot.left = p.walk_at;
      tell("the leave of slot %d is in force", p.walk_slot);
      go_idle();
      return true;
    }
    case Pc::acknowledge: acknowledge(); return true;
    default: return false;
  }
}

void Turn::tell(const char* format, ...) {
  if (story_ == nullptr) return;
  char text[160];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  *story_ = "process " + std::to_string(now_) + " " + text;
}

}  // namespace evs::shm::model
