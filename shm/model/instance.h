// SPDX-License-Identifier: BSD-3-Clause
// shm/model/instance.h - which tiny world is explored, and which rule is left out of it.
//
// An instance is small on purpose: each asks one question of the rules (may a dead writer's hole be filled? may a slot
// be reused?) with as few processes as the question needs, so that every interleaving can be visited.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "shm/model/state.h"

namespace evs::shm::model {

enum class Role : uint8_t {
  absent,
  sender,    // a member without a cursor: sends its script, proves deaths, writes leave records
  reader,    // a member with a cursor; may have a script too
  newcomer,  // attaches, then reads
  sleeper,   // a member without a cursor that opens one late (a handle's first join of a group)
};

struct Instance {
  std::string_view name;
  std::string_view question;
  uint8_t capacity;
  uint8_t start;  // the first position: chosen so that the wrap comes soon
  uint8_t slots;
  std::array<Role, kProcs> role;
  std::array<std::array<uint8_t, 6>, kProcs> script;  // lengths of the messages each process sends, in units
  uint8_t kills, stops, expulsions;
  uint8_t may_die, may_stop, may_be_expelled, may_expel, rejoins;  // bit masks over processes
  bool fine;             // scans read slot by slot, not all slots at once
  uint8_t spared = 0;    // processes that leave proofs of death and leave records to others (fewer states)
  uint8_t gives_up = 0;  // processes that drop a message which found no room
};

// Each rule that the adversarial explorations found, left out once. docs/ring-model.md says what finds which.
enum class Mutant : uint8_t {
  none,
  commit_without_secret, room_unchecked, limit_unbounded, covered_uncounted, covered_not_raised,
  no_intent, intent_not_cleared, no_owner_mark, skip_first,
  fill_owner_unchecked, fill_bound_unchecked, fill_unpinned, fill_proof_unneeded,
  dead_cursors_count, dead_intents_count, expelled_cursors_count, expelled_intents_ignored, pins_ignored,
  loser_counts_for_ever, joining_ignored,
  generation_unchecked, cursor_before_copy,
  predecessor_unchecked, latest_not_advanced, latest_after_cursor, author_not_replaced,
  attach_not_reread, attach_unpinned, join_unread, walk_latest_first, walk_unvalidated, fresh_cursor_is_folded,
  reuse_before_leave,
  count_
};

struct MutantText {
  Mutant mutant;
  std::string_view name;
  std::string_view rule;      // the heading in docs/shm-layout.md
  std::string_view instance;  // where it is caught
  std::string_view what;
};
std::span<const MutantText> mutants();
std::span<const Instance> instances();
std::span<const Instance> long_instances();
std::span<const Instance> roaming_instances();
const Instance* find_instance(std::string_view name);
const MutantText* find_mutant(std::string_view name);

struct Model {
  const Instance* world;
  Mutant mutant;
  bool inner_checks;  // also judge invariants that no application sees; off for mutants, which must fail visibly

  bool breaks(Mutant which) const { return mutant == which; }
  uint8_t capacity() const { return world->capacity; }
};

State initial(const Instance& world);

}  // namespace evs::shm::model
