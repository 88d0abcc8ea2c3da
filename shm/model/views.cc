// SPDX-License-Identifier: BSD-3-Clause
// shm/model/views.cc - the published views, word by word (views.h).
//
// Two slots. The owner of slot 0 publishes rising changes and may die at any step; then a newcomer owns slot 0 and goes on
// where the newest view stood. The owner of slot 1 publishes too. A walker may skip changes, so each publication is of any
// change newer than the last. The loader notes, when it begins, the newest change that any slot's word names: what it
// loads must be that one or a newer one, and whole.
#include "shm/model/views.h"

#include <algorithm>

#include "shm/model/small.h"

namespace evs::shm::model {
namespace {

constexpr int kChanges = 4;
constexpr int kCopyWords = 2;

constexpr ViewFaultText kFaults[] = {
    {ViewFault::one_copy, "view-one-copy", "a publisher writes into the copy that its word names"},
    {ViewFault::word_first, "view-word-first", "the word is switched before the copy is written"},
    {ViewFault::word_unchecked, "view-word-unchecked", "the loader does not look at the word again"},
    {ViewFault::word_wiped, "view-word-wiped", "who takes a slot over wipes the view of its last life"},
};

struct Views {
  struct Published {
    uint8_t change, which;
    std::array<std::array<uint8_t, kCopyWords>, 2> copy;
  };
  struct Writer {
    uint8_t publishing, step, dead;
  };
  std::array<Published, 2> slot;
  std::array<Writer, 2> writer;
  uint8_t kills, taken_over;
  // The loader: 0 not begun, 1.. reading words, then the copy, then the word again.
  uint8_t loading, floor, best, best_which, best_slot, torn, loads;
};

class Explorer : public Small<Views> {
 public:
  explicit Explorer(ViewFault fault) : fault_(fault) {}

  Verdict run() {
    Views first{};
    first.kills = 1;
    return explore(first);
  }

 private:
  void make_steps(const Views& now) override {
    for (uint8_t index = 0; index < 2; ++index) write(now, index);
    load(now);
  }

  void write(const Views& now, uint8_t index) {
    const Views::Writer& writer = now.writer[index];
    const std::string who = "slot " + std::to_string(index) + ": ";
    if (writer.dead != 0) {
      if (index != 0 || now.taken_over != 0) return;
      Step& step = next(now, who + "a newcomer takes it over");
      step.after.writer[0] = {};
      step.after.taken_over = 1;
      if (fault_ == ViewFault::word_wiped) step.after.slot[0].change = 0;
      return;
    }
    if (index == 0 && now.kills != 0) {
      Step& step = next(now, who + "its owner is killed");
      step.after.kills = 0;
      step.after.writer[0] = {0, 0, 1};
    }
    if (writer.publishing == 0) {
      for (uint8_t change = static_cast<uint8_t>(now.slot[index].change + 1); change <= kChanges; ++change) {
        next(now, who + "will publish " + std::to_string(change)).after.writer[index] = {change, 0, 0};
      }
      return;
    }
    const bool word_first = fault_ == ViewFault::word_first;
    const uint8_t word_step = word_first ? 0 : kCopyWords;
    const Views::Published& was = now.slot[index];
    // Which copy: the one that the word does not name. (If the word went first it names ours already.)
    const bool named = fault_ == ViewFault::one_copy || (word_first && writer.step > 0);
    const uint8_t which = named ? was.which : was.which ^ 1;
    Step& step = next(now, "");
    Views::Published& slot = step.after.slot[index];
    Views::Writer& after = step.after.writer[index];
    if (writer.step == word_step) {
      slot.change = writer.publishing;
      slot.which = which;
      step.told = who + "its word names " + std::to_string(writer.publishing);
    } else {
      const int word = writer.step - (word_first ? 1 : 0);
      slot.copy[which][word] = writer.publishing;
      step.told = who + "writes word " + std::to_string(word) + " of " + std::to_string(writer.publishing);
    }
    if (++after.step > kCopyWords) after = {};
  }

  void load(const Views& now) {
    constexpr uint8_t kCopy = 3, kAgain = kCopy + kCopyWords;
    if (now.loads != 0) return;
    Step& step = next(now, "");
    Views& after = step.after;
    if (now.loading == 0) {
      after.loading = 1;
      after.floor = std::max(now.slot[0].change, now.slot[1].change);
      after.best = after.best_which = after.best_slot = after.torn = 0;
      step.told = "the loader begins; " + std::to_string(after.floor) + " is published";
    } else if (now.loading < kCopy) {
      const uint8_t index = now.loading - 1;
      if (now.slot[index].change > now.best) {
        after.best = now.slot[index].change;
        after.best_which = now.slot[index].which;
        after.best_slot = index;
      }
      ++after.loading;
      step.told = "the loader reads the word of slot " + std::to_string(index);
      if (after.loading == kCopy && after.best == 0) after.loading = kAgain;
    } else if (now.loading < kAgain) {
      const int word = now.loading - kCopy;
      if (now.slot[now.best_slot].copy[now.best_which][word] != now.best) after.torn = 1;
      ++after.loading;
      step.told = "the loader reads word " + std::to_string(word) + " of " + std::to_string(now.best);
    } else {
      const Views::Published& slot = now.slot[now.best_slot];
      const bool same = slot.change == now.best && slot.which == now.best_which;
      const uint8_t floor = now.floor;
      after.loading = after.best = after.best_which = after.best_slot = after.torn = after.floor = 0;
      if (now.best != 0 && !same && fault_ != ViewFault::word_unchecked) {
        step.told = "the loader sees another word: again";
        return;
      }
      after.loads = 1;
      step.told = "the loader takes " + std::to_string(now.best);
      if (now.torn != 0) step.violation = "a torn view is loaded";
      if (now.best < floor) step.violation = "a view is loaded that is older than what was published before";
    }
  }

  const ViewFault fault_;
};

}  // namespace

std::span<const ViewFaultText> view_faults() { return kFaults; }
Verdict explore_views(ViewFault fault) { return Explorer(fault).run(); }

}  // namespace evs::shm::model
