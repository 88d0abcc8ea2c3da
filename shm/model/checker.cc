// SPDX-License-Identifier: BSD-3-Clause
// shm/model/checker.cc - the exhaustive search, the backward pass and the random walks (checker.h).
#include "shm/model/checker.h"

#include <algorithm>
#include <random>

namespace evs::shm::model {
namespace {

constexpr const char* kNeverDone = "stuck: steps go on for ever, and not all can be done any more";
constexpr uint32_t kNobody = UINT32_MAX;

// 96 bits of hash and an identity in 16 bytes; open addressing, doubled when two thirds full.
class Visited {
 public:
  Visited() : table_(1u << 16, Entry{0, 0, kNobody}) {}

  // The identity under which the state is known, and whether it was new.
  std::pair<uint32_t, bool> insert(const Hash& hash, uint32_t fresh) {
    if ((count_ + 1) * 3 > table_.size() * 2) grow();
    Entry& entry = find(hash.a, static_cast<uint32_t>(hash.b));
    if (entry.identity != kNobody) return {entry.identity, false};
    entry = {hash.a, static_cast<uint32_t>(hash.b), fresh};
    ++count_;
    return {fresh, true};
  }

 private:
  struct Entry {
    uint64_t high;
    uint32_t low;
    uint32_t identity;
  };

  Entry& find(uint64_t high, uint32_t low) {
    size_t at = high & (table_.size() - 1);
    while (table_[at].identity != kNobody && (table_[at].high != high || table_[at].low != low)) {
      at = (at + 1) & (table_.size() - 1);
    }
    return table_[at];
  }

  void grow() {
    std::vector<Entry> old(table_.size() * 2, Entry{0, 0, kNobody});
    old.swap(table_);
    for (const Entry& entry : old) {
      if (entry.identity != kNobody) find(entry.high, entry.low) = entry;
    }
  }

  std::vector<Entry> table_;
  size_t count_ = 0;
};

struct Origin {
  uint32_t parent;
  Action action;
};

class Search {
 public:
  Search(const Model& model, const Limits& limits) : model_(model), limits_(limits) {}

  Verdict run() {
    const State first = initial(*model_.world);
    visited_.insert(hash(first), 0);
    origin_.push_back({kNobody, {}});
    std::vector<State> layer{first};
    uint32_t base = 0;
    while (!layer.empty() && verdict_.violation.empty() && verdict_.complete) {
      next_.clear();
      const uint32_t next_base = static_cast<uint32_t>(origin_.size());
      for (uint32_t at = 0; at < layer.size() && verdict_.violation.empty(); ++at) expand(layer[at], base + at);
      layer.swap(next_);
      base = next_base;
      if (!layer.empty()) ++verdict_.depth;
      if (origin_.size() > limits_.states) verdict_.complete = false;
    }
    verdict_.states = origin_.size();
    verdict_.edges = target_.size();
    if (verdict_.violation.empty() && verdict_.complete && limits_.progress) check_progress();
    return std::move(verdict_);
  }

 private:
  void expand(const State& state, uint32_t identity) {
    first_edge_.push_back(static_cast<uint32_t>(target_.size()));
    bool moves = false;
    bool cut = false;
    for (uint8_t process = 0; process < kProcs; ++process) {
      for (uint8_t choice = 0; choice < kAllChoices; ++choice) {
        State after = state;
        Turn turn(model_, after);
        const Action action{process, choice};
        if (!turn.take(action)) continue;
        if (turn.violation() != nullptr) return blame(turn.violation(), identity, &action);
        if (turn.pruned()) {
          ++verdict_.pruned;
          cut = true;
          continue;
        }
        const bool fault = choice >= kChoices;
        moves |= !fault;
        const auto [known, fresh] = visited_.insert(hash(after), static_cast<uint32_t>(origin_.size()));
        if (fresh) {
          origin_.push_back({identity, action});
          next_.push_back(after);
        }
        if (!fault) target_.push_back(known);
      }
    }
    State copy = state;
    const Turn end(model_, copy);
    const char* unfinished = moves || cut ? nullptr : end.unfinished();
    const bool finished = !moves && !cut && unfinished == nullptr;
    const bool held = !finished && end.held_by_stopped();
    verdict_.finished += finished;
    verdict_.held += held;
    good_.push_back(finished || held || cut);
    if (!moves && !good_.back()) blame(unfinished, identity, nullptr);
  }

  // Backward from all states that are done: who is not reached can never finish.
  void check_progress() {
    const uint32_t count = static_cast<uint32_t>(origin_.size());
    first_edge_.push_back(static_cast<uint32_t>(target_.size()));
    std::vector<uint32_t> begin(count + 1, 0), source(target_.size());
    for (uint32_t to : target_) ++begin[to + 1];
    for (uint32_t at = 0; at < count; ++at) begin[at + 1] += begin[at];
    std::vector<uint32_t> fill(begin.begin(), begin.end() - 1);
    for (uint32_t from = 0; from < count; ++from) {
      for (uint32_t edge = first_edge_[from]; edge < first_edge_[from + 1]; ++edge) source[fill[target_[edge]]++] = from;
    }
    std::vector<uint32_t> open;
    for (uint32_t at = 0; at < count; ++at) {
      if (good_[at]) open.push_back(at);
    }
    while (!open.empty()) {
      const uint32_t at = open.back();
      open.pop_back();
      for (uint32_t edge = begin[at]; edge < begin[at + 1]; ++edge) {
        if (good_[source[edge]]) continue;
        good_[source[edge]] = true;
        open.push_back(source[edge]);
      }
    }
    const auto bad = std::find(good_.begin(), good_.end(), false);
    if (bad != good_.end()) blame(kNeverDone, static_cast<uint32_t>(bad - good_.begin()), nullptr);
  }

  void blame(const char* what, uint32_t identity, const Action* last) {
    verdict_.violation = what;
    std::vector<Action> actions;
    if (last != nullptr) actions.push_back(*last);
    for (uint32_t at = identity; origin_[at].parent != kNobody; at = origin_[at].parent) actions.push_back(origin_[at].action);
    std::reverse(actions.begin(), actions.end());
    State state = initial(*model_.world);
    for (const Action& action : actions) {
      std::string line;
      Turn(model_, state, &line).take(action);
      verdict_.story.push_back(line);
    }
  }

  const Model& model_;
  const Limits& limits_;
  Visited visited_;
  std::vector<Origin> origin_;
  std::vector<State> next_;
  std::vector<uint32_t> first_edge_, target_;
  std::vector<bool> good_;
  Verdict verdict_;
};

}  // namespace

Verdict explore(const Model& model, const Limits& limits) { return Search(model, limits).run(); }

Verdict roam(const Model& model, const Limits& limits) {
  Verdict verdict;
  for (uint64_t run = 0; run < limits.runs && verdict.violation.empty(); ++run) {
    const uint64_t seed = limits.seed + run;
    std::mt19937_64 random(seed);
    State state = initial(*model.world);
    std::vector<Action> actions;
    bool over = false;
    bool cut = false;
    while (!over && verdict.violation.empty()) {
      // Shuffled order, first that is possible. Faults are drawn rarely, else each run would begin with all of them.
      std::vector<Action> order;
      const bool strike = random() % 16 == 0;
      for (uint8_t process = 0; process < kProcs; ++process) {
        for (uint8_t choice = 0; choice < kAllChoices; ++choice) {
          if (choice < kChoices || strike) order.push_back({process, choice});
        }
      }
      std::shuffle(order.begin(), order.end(), random);
      over = true;
      for (const Action& action : order) {
        State after = state;
        Turn turn(model, after);
        if (!turn.take(action)) continue;
        over = cut = turn.pruned();
        verdict.pruned += cut;
        actions.push_back(action);
        ++verdict.steps;
        if (turn.violation() != nullptr) verdict.violation = turn.violation();
        state = after;
        break;
      }
      if (over && !cut) {
        State copy = state;
        const Turn end(model, copy);
        const char* unfinished = end.unfinished();
        if (unfinished == nullptr) {
          ++verdict.finished;
        } else if (end.held_by_stopped()) {
          ++verdict.held;
        } else {
          verdict.violation = unfinished;
        }
      }
      verdict.depth = std::max<uint64_t>(verdict.depth, actions.size());
    }
    ++verdict.states;
    if (verdict.violation.empty()) continue;
    verdict.seed = seed;
    State again = initial(*model.world);
    for (const Action& action : actions) {
      std::string line;
      Turn(model, again, &line).take(action);
      verdict.story.push_back(line);
    }
  }
  return verdict;
}

}  // namespace evs::shm::model
