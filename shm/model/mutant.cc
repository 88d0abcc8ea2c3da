// SPDX-License-Identifier: BSD-3-Clause
// shm/model/mutant.cc - each rule left out once, and the tiny world that cannot live without it.
//
// A rule that no history needs is folklore. So each one has a mutant here, and the test demands that the checker finds
// it: the printed story is the shortest history that the rule excludes.
#include <algorithm>

#include "shm/model/instance.h"

namespace evs::shm::model {
namespace {

constexpr MutantText kMutants[] = {
    {Mutant::commit_without_secret, "commit-without-secret", "A1", "wrap", "payload of an earlier lap looks like a commit word"},
    {Mutant::room_unchecked, "room-unchecked", "A2", "claim", "a claim does not look for room"},
    {Mutant::limit_unbounded, "limit-unbounded", "A2", "attach-fine", "the cached limit may pass the tail of its scan + capacity"},
    {Mutant::covered_uncounted, "covered-uncounted", "B8", "covered", "covered does not bound the room"},
    {Mutant::covered_not_raised, "covered-not-raised", "B8", "vanish", "a scan does not raise covered"},
    {Mutant::no_intent, "no-intent", "A3", "claim", "no intent is stored before the CAS"},
    {Mutant::intent_not_cleared, "intent-not-cleared", "A3", "give-up", "TRY_AGAIN leaves the intent standing"},
    {Mutant::no_owner_mark, "no-owner-mark", "A3", "stopped", "the winner does not mark its cell"},
    {Mutant::skip_first, "skip-first", "A4", "wrap", "the skip is committed before the record"},
    {Mutant::fill_owner_unchecked, "fill-owner-unchecked", "A5", "claim", "a fill does not look at the intents"},
    {Mutant::fill_bound_unchecked, "fill-bound-unchecked", "A5", "expel-fill", "a fill does not read the tail again"},
    {Mutant::fill_unpinned, "fill-unpinned", "A5", "fill-race", "a fill does not pin its unit"},
    {Mutant::fill_proof_unneeded, "fill-proof-unneeded", "B2", "claim", "silence is taken for death"},
    {Mutant::dead_cursors_count, "dead-cursors-count", "A6", "reader-dies", "a dead reader's cursor counts"},
    {Mutant::dead_intents_count, "dead-intents-count", "A6", "claim", "a dead writer's intent counts"},
    {Mutant::expelled_cursors_count, "expelled-cursors-count", "A6", "expel-stopped", "an expelled reader's cursor counts"},
    {Mutant::expelled_intents_ignored, "expelled-intents-ignored", "A6", "expel", "an expelled writer's intent does not count"},
    {Mutant::pins_ignored, "pins-ignored", "A6", "fill-race", "pins do not bound the room"},
    {Mutant::loser_counts_for_ever, "loser-counts-for-ever", "A6", "stopped", "an intent counts though its unit is decided"},
    {Mutant::joining_ignored, "joining-ignored", "A6", "attach", "nothing of a JOINING slot counts"},
    {Mutant::generation_unchecked, "generation-unchecked", "B4", "expel", "the reader does not check that it is still a member"},
    {Mutant::cursor_before_copy, "cursor-before-copy", "B4", "claim", "the cursor passes a record before it is copied"},
    {Mutant::predecessor_unchecked, "predecessor-unchecked", "B8", "join-leave", "a membership record needs no predecessor"},
    {Mutant::latest_not_advanced, "latest-not-advanced", "B8", "attach-two", "readers do not fold into the published latest"},
    {Mutant::latest_after_cursor, "latest-after-cursor", "B8", "attach-two", "readers fold after their cursor has passed"},
    {Mutant::author_not_replaced, "author-not-replaced", "B8", "author", "nobody takes over a dead author's leave"},
    {Mutant::attach_not_reread, "attach-not-reread", "B9", "attach", "the cursor begins at the tail read before the pin"},
    {Mutant::attach_unpinned, "attach-unpinned", "B9", "attach", "the tail is read again before anything is pinned"},
    {Mutant::join_unread, "join-unread", "B9", "attach-two", "a join is appended before all is read up to the tail"},
    {Mutant::walk_latest_first, "walk-latest-first", "B9", "attach-two", "a walk loads the latest before its start"},
    {Mutant::walk_unvalidated, "walk-unvalidated", "B9", "attach", "a walk does not check that it was not lapped"},
    {Mutant::fresh_cursor_is_folded, "fresh-cursor-is-folded", "B9", "open", "a new cursor counts as proof that all before it was folded"},
    {Mutant::reuse_before_leave, "reuse-before-leave", "B1", "reuse", "a slot is used again before its leave is in force"},
};
static_assert(std::size(kMutants) + 1 == static_cast<size_t>(Mutant::count_), "each mutant has its line");

}  // namespace

std::span<const MutantText> mutants() { return kMutants; }

const MutantText* find_mutant(std::string_view name) {
  const auto all = mutants();
  const auto found = std::find_if(all.begin(), all.end(), [&](const MutantText& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace evs::shm::model
