// SPDX-License-Identifier: BSD-3-Clause
// shm/model/walk.cc - who has no view of its own reads the membership records up to the tail.
//
// docs/shm-layout.md B8, B9. Four reasons: a newcomer before and after its join record, a handle that opens its first
// cursor, the author of a leave record, and a sender that finds the ring full because of `covered`. The start is
// max(covered, highest cursor whose owner folded), loaded *before* the published latest: all before the start is in that
// latest, and what the latest holds beyond the start is recognised by its position. Nothing is held while walking: a
// record counts if the tail, read after the copy, is at most its position + capacity, else the walk starts again. At its
// end the walk folds what it learned into the published latest, then raises `covered`, in this order.
#include "shm/model/turn.h"

namespace evs::shm::model {

void Turn::start_walk(Walk why) {
  me().walk = why;
  me().walk_own = 0;
  me().pc = lacks(Mutant::walk_latest_first) ? Pc::walk_latest : Pc::walk_start;
}

bool Turn::may_walk() const {
  const uint8_t here = me().walk_at;
  if (me().walk_own != 0 && here >= me().walk_own) return true;
  return committed(here) || here >= s_.tail || s_.tail > here + m_.capacity() || fill_worth(here);
}

void Turn::after_start() {
  const bool unread = lacks(Mutant::join_unread) && me().walk == Walk::attach;
  me().pc = unread ? Pc::walk_fold : Pc::walk_read;
}

void Turn::walk_read() {
  Process& p = me();
  // Its own record is passed: enough is known, and what follows is for its reader to deliver.
  if (p.walk_own != 0 && lacks(Mutant::join_unread) && p.walk == Walk::attach) {
    p.walk_position = p.walk_own;
    p.walk_list = s_.unit[p.walk_own].list;
    p.walk_at = static_cast<uint8_t>(p.walk_own + 1);
    p.pc = Pc::walk_fold;
    tell("takes its own record for valid");
  } else if ((p.walk_own != 0 && p.walk_at > p.walk_own) || (!committed(p.walk_at) && p.walk_at >= s_.tail)) {
    p.pc = Pc::walk_fold;
    tell("has walked up to %d", p.walk_at);
  } else if (committed(p.walk_at)) {
    const Kind kind = kind_of(word(p.walk_at));
    p.index = 0;
    p.torn = 0;
    p.length = std::max<uint8_t>(s_.unit[p.walk_at].length, 1);
    p.read_kind = static_cast<uint8_t>(kind);
    tell("walks to a committed record at %d", p.walk_at);
    if (kind == Kind::pad) {
      ++p.walk_at;
    } else if (kind == Kind::skip) {
      p.walk_at = next_lap(p.walk_at);
    } else {
      p.pc = Pc::walk_copy;
    }
  } else if (s_.tail > p.walk_at + m_.capacity()) {
    tell("was lapped at %d, starts again", p.walk_at);
    const uint8_t own = p.walk_own;
    start_walk(p.walk);
    p.walk_own = own;
  } else {
    tell("walks to %d: uncommitted", p.walk_at);
    start_fill(p.walk_at, Pc::walk_read);
  }
}

void Turn::walk_valid() {
  Process& p = me();
  if (s_.tail > p.walk_at + m_.capacity() && !lacks(Mutant::walk_unvalidated)) {
    tell("the tail is %d: lapped while copying, starts again", s_.tail);
    const uint8_t own = p.walk_own;
    start_walk(p.walk);
    p.walk_own = own;
    return;
  }
  if (p.torn != 0) fail("a walk takes a torn record for a membership");
  const Unit& unit = s_.unit[p.walk_at];
  tell("the copy of %d was whole", p.walk_at);
  const bool news = static_cast<Kind>(p.read_kind) == Kind::membership && p.walk_at > p.walk_position;
  if (news && valid(unit.predecessor, p.walk_position)) {
    p.walk_position = p.walk_at;
    p.walk_list = unit.list;
  }
  p.walk_at = static_cast<uint8_t>(p.walk_at + p.length);
  p.pc = Pc::walk_read;
}

void Turn::walk_step() {
  Process& p = me();
  const bool opens = p.walk == Walk::attach || p.walk == Walk::open_cursor;
  switch (p.pc) {
    case Pc::walk_start:
      p.walk_at = s_.covered;
      p.pc = Pc::walk_cursors;
      tell("reads covered: %d", s_.covered);
      break;
    case Pc::walk_cursors:
      for (const Slot& slot : s_.slot) {
        const bool folded = slot.state == SlotState::live && slot.folded != 0;
        const bool fresh = lacks(Mutant::fresh_cursor_is_folded) && slot.state == SlotState::live;
        if (slot.cursor != kNone && (folded || fresh)) p.walk_at = std::max(p.walk_at, slot.cursor);
      }
      tell("the walk begins at %d", p.walk_at);
      if (lacks(Mutant::walk_latest_first)) {
        after_start();
      } else {
        p.pc = Pc::walk_latest;
      }
      break;
    case Pc::walk_latest:
      p.walk_position = s_.latest_position;
      p.walk_list = s_.latest_list;
      tell("loads the published latest: that of %d", s_.latest_position);
      if (lacks(Mutant::walk_latest_first)) {
        p.pc = Pc::walk_start;
      } else {
        after_start();
      }
      break;
    case Pc::walk_copy:
      if (!copy_unit(p.walk_at, p.index)) p.torn = 1;
      tell("copies unit %d", p.walk_at + p.index);
      if (++p.index >= p.length) p.pc = Pc::walk_valid;
      break;
    case Pc::walk_fold:
      publish_latest(p.walk_position, p.walk_list);
      p.pc = Pc::walk_covered;
      tell("folds the membership of %d", p.walk_position);
      break;
    case Pc::walk_covered:
      s_.covered = std::max(s_.covered, p.walk_at);
      judge_latest();
      tell("covered is %d", s_.covered);
      p.pc = Pc::walk_cursor;
      if (!opens) walk_ends();
      break;
    default:
      own().cursor = std::max(own().cursor == kNone ? uint8_t{0} : own().cursor, p.walk_at);
      own().folded = 1;
      tell("publishes its cursor: %d", own().cursor);
      walk_ends();
      break;
  }
}

void Turn::walk_ends() {
  Process& p = me();
  const auto named = [&](uint8_t incarnation) { return (p.walk_list >> incarnation & 1) != 0; };
  if (p.walk == Walk::fold) return go_idle();
  if (p.walk == Walk::open_cursor) {
    p.opened = 1;
    p.view_position = p.walk_position;
    p.view_list = p.walk_list;
    return go_idle();
  }
  const bool joins = p.walk == Walk::attach;
  const uint8_t subject = joins ? p.incarnation : p.walk_incarnation;
  if (named(subject) == joins) {
    p.pc = joins ? Pc::attach_live : Pc::leave_mark;
    return;
  }
  p.walk_own = 0;
  p.predecessor = p.walk_position;
  p.list = static_cast<uint8_t>(p.walk_list ^ 1u << subject);
  start_claim(Kind::membership, 1);
}

}  // namespace evs::shm::model
