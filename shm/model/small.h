// SPDX-License-Identifier: BSD-3-Clause
// shm/model/small.h - visits all that a very small world can reach, breadth first, and keeps every state whole.
//
// For questions that stand apart from the large model (views.h, takeover.h). A world is a struct of bytes; whoever asks derives a class that
// makes, for one state, a step a possible successor.
#pragma once
#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shm/model/checker.h"

namespace evs::shm::model {

template <class World>
class Small {
 public:
  virtual ~Small() = default;
  Verdict explore(const World& first) {
    add(first, kNoParent, "");
    for (size_t at = 0; at < nodes_.size() && verdict_.violation.empty(); ++at) {
      steps_.clear();
      const World now = nodes_[at].state;
      make_steps(now);
      for (Step& step : steps_) {
        ++verdict_.edges;
        add(step.after, at, step.told);
        if (step.violation != nullptr && verdict_.violation.empty()) blame(step.violation, at, step.told);
      }
      if (steps_.empty()) ++verdict_.finished;
    }
    verdict_.states = nodes_.size();
    return std::move(verdict_);
  }

 protected:
  struct Step {
    World after;
    std::string told;
    const char* violation = nullptr;
  };
  virtual void make_steps(const World& now) = 0;
  // The reference holds until the next one is made.
  Step& next(const World& now, const std::string& told) {
    steps_.push_back({now, told, nullptr});
    return steps_.back();
  }

 private:
  static_assert(alignof(World) == 1, "bytes only: equal moments have equal bytes");
  static constexpr size_t kNoParent = SIZE_MAX;
  struct Node {
    World state;
    size_t parent;
    std::string told;
  };

  void add(const World& state, size_t parent, const std::string& told) {
    const std::string key(reinterpret_cast<const char*>(&state), sizeof state);
    if (known_.emplace(key, nodes_.size()).second) nodes_.push_back({state, parent, told});
  }
  void blame(const char* what, size_t at, const std::string& last) {
    verdict_.violation = what;
    verdict_.story.push_back(last);
    for (; nodes_[at].parent != kNoParent; at = nodes_[at].parent) verdict_.story.push_back(nodes_[at].told);
    std::reverse(verdict_.story.begin(), verdict_.story.end());
  }

  std::vector<Node> nodes_;
  std::unordered_map<std::string, size_t> known_;
  std::vector<Step> steps_;
  Verdict verdict_;
};

}  // namespace evs::shm::model
