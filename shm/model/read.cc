// SPDX-License-Identifier: BSD-3-Clause
// shm/model/read.cc - a member's reader: find, copy out, check one's generation, fold, publish the cursor, call back.
//
// docs/shm-layout.md B4 and B7: the copy is worth something only if the slot is still LIVE with one's own generation
// *after* it was made, for an expelled reader holds nothing and is lapped. B8: a valid membership record is folded into
// the published latest before the cursor passes it, so a newcomer finds it in one of the two places. Delivery is judged
// when the cursor is published; what comes after it (the callback) touches no shared memory.
#include "shm/model/turn.h"

namespace evs::shm::model {

bool Turn::may_read() const {
  if (me().slot == kNone || own().cursor == kNone) return false;
  if (own().state != SlotState::live && own().state != SlotState::expelled) return false;
  const uint8_t cursor = own().cursor;
  return committed(cursor) || (cursor < s_.tail && fill_worth(cursor));
}

void Turn::read_next() {
  Process& p = me();
  const uint8_t cursor = own().cursor;
  if (!committed(cursor)) {
    tell("finds %d uncommitted before the tail", cursor);
    start_fill(cursor, Pc::idle);
    return;
  }
  const Kind kind = kind_of(word(cursor));
  const Unit& unit = s_.unit[cursor];
  p.record = cursor;
  p.read_kind = static_cast<uint8_t>(kind);
  p.index = 0;
  p.torn = 0;
  const bool bodily = kind == Kind::message || kind == Kind::membership;
  p.length = bodily ? std::max<uint8_t>(unit.length, 1) : 1;
  p.read_next = kind == Kind::skip ? next_lap(cursor) : static_cast<uint8_t>(cursor + p.length);
  if (lacks(Mutant::cursor_before_copy)) own().cursor = p.read_next;
  p.pc = bodily ? Pc::read_copy : Pc::read_generation;
  tell("finds a committed record at %d", cursor);
}

// The unit holds what the record's writer wrote there, and nothing else.
bool Turn::copy_unit(uint8_t record, uint8_t index) const {
  const uint8_t position = static_cast<uint8_t>(record + index);
  if (s_.body[at(position)] != record || s_.unit[record].part != Part::record) return false;
  if (index == 0) return true;
  const uint8_t held = word(position);
  return held == kPayloadWord || (lacks(Mutant::commit_without_secret) && commits(held, static_cast<uint8_t>(position + m_.capacity())));
}

// B8: a record not based on the latest in force is ignored, by all alike.
bool Turn::valid(uint8_t predecessor, uint8_t in_force) const {
  return predecessor == in_force || lacks(Mutant::predecessor_unchecked);
}

void Turn::publish_latest(uint8_t position, uint8_t list) {
  if (position <= s_.latest_position) return;
  s_.latest_position = position;
  s_.latest_list = list;
}

void Turn::read_step() {
  Process& p = me();
  const Unit& unit = s_.unit[p.record];
  const bool changes = static_cast<Kind>(p.read_kind) == Kind::membership && valid(unit.predecessor, p.view_position);
  const bool fold_first = changes && !lacks(Mutant::latest_not_advanced) && !lacks(Mutant::latest_after_cursor);
  switch (p.pc) {
    case Pc::read_copy:
      if (!copy_unit(p.record, p.index)) p.torn = 1;
      tell("copies unit %d%s", p.record + p.index, p.torn ? " (torn)" : "");
      if (++p.index >= p.length) p.pc = Pc::read_generation;
      break;
    case Pc::read_generation:
      if (!live() && !lacks(Mutant::generation_unchecked)) {
        go_idle();
        p.pc = Pc::acknowledge;
        tell("sees that it was expelled");
        break;
      }
      p.pc = fold_first ? Pc::read_latest : Pc::read_publish;
      tell("sees that it is still a member");
      break;
    case Pc::read_latest:
      publish_latest(p.record, unit.list);
      tell("folds the membership at %d", p.record);
      if (lacks(Mutant::latest_after_cursor)) {
        go_idle();
      } else {
        p.pc = Pc::read_publish;
      }
      break;
    default:
      own().cursor = p.read_next;
      judge_delivery();
      if (changes) {
        p.view_position = p.record;
        p.view_list = unit.list;
      }
      tell("publishes its cursor: %d", p.read_next);
      p.tried = 0;
      if (changes && lacks(Mutant::latest_after_cursor)) {
        p.pc = Pc::read_latest;
      } else {
        go_idle();
      }
      judge_latest();
      break;
  }
}

}  // namespace evs::shm::model
