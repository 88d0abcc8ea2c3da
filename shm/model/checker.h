// SPDX-License-Identifier: BSD-3-Clause
// shm/model/checker.h - visit every moment that a tiny world can reach, or very many of them at random.
//
// explore() goes breadth first, so the story it prints on a violation is a shortest one. A state is remembered by 96 bits
// of its hash (hash compaction: at ten million states the chance that two share one is below 10^-14), its parent and the
// action that led here; only the frontier holds whole states, and a story is replayed from the beginning. The edges
// are kept too: afterwards a backward pass from the finished states shows whether each state can still finish by
// progress alone, without a further fault; so a livelock is found as well as a deadlock.
// roam() plays random runs of worlds too large for that; a run is its seed.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "shm/model/turn.h"

namespace evs::shm::model {

struct Limits {
  uint64_t states = 40'000'000;
  bool partly = false;   // reaching `states` is no failure: the limit was asked for
  uint64_t runs = 20'000;
  uint64_t seed = 1;
  bool progress = true;  // also look for states that can finish no more
};

struct Verdict {
  std::string violation;           // empty: every promise held
  std::vector<std::string> story;  // what led to it
  uint64_t states = 0, edges = 0, depth = 0, finished = 0, pruned = 0, held = 0, steps = 0, seed = 0;
  bool complete = true;
};

Verdict explore(const Model& model, const Limits& limits);
Verdict roam(const Model& model, const Limits& limits);

}  // namespace evs::shm::model
