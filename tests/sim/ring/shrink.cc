// SPDX-License-Identifier: BSD-3-Clause
// tests/sim/ring/shrink.cc - see shrink.h.
#include "tests/sim/ring/shrink.h"

#include <algorithm>

namespace evs::sim {
namespace {

constexpr uint32_t kMostRuns = 20000;

class Shrinking {
 public:
  Shrinking(const Plan& plan, const Script& script, const std::string& predicate) : small_{plan, script, 0}, predicate_(predicate) {}

  Small all() {
    size_t before = 0;
    do {
      before = small_.script.size();
      fewer_events();
      calmer_world();
    } while (small_.script.size() < before);
    return std::move(small_);
  }

 private:
  bool still_bad(const Plan& plan, const Script& script) {
    if (small_.runs >= kMostRuns) return false;
    ++small_.runs;
    return Cluster(plan, script).run().violates(predicate_);
  }

  // Without one of `parts` parts; finer parts when none can go.
  void fewer_events() {
    for (size_t parts = 2; !small_.script.empty() && parts <= 2 * small_.script.size();) {
      const size_t each = std::max<size_t>(1, small_.script.size() / parts);
      bool went = false;
      for (size_t from = 0; from < small_.script.size();) {
        Script rest = small_.script;
        const auto begin = rest.begin() + static_cast<ptrdiff_t>(from);
        rest.erase(begin, begin + static_cast<ptrdiff_t>(std::min(each, rest.size() - from)));
        if (still_bad(small_.plan, rest)) {
          small_.script = std::move(rest);
          went = true;
        } else {
          from += each;
        }
      }
      if (!went && each == 1) return;
      if (!went) parts *= 2;
    }
  }

  template <class Change>
  void try_plan(Change&& change) {
    Plan plan = small_.plan;
    change(plan);
    if (still_bad(plan, small_.script)) small_.plan = plan;
  }

  void calmer_world() {
    const Plan calm = Plan::calm(small_.plan.seed, small_.plan.hosts);
    try_plan([](Plan& p) { p.loss = 0; });
    try_plan([](Plan& p) { p.picky_type = 0; });
    try_plan([](Plan& p) { p.repeat = 0; });
    try_plan([](Plan& p) { p.straggle = 0; });
    try_plan([&](Plan& p) { p.delay_most = calm.delay_most; });
    try_plan([](Plan& p) { p.slow = 0; });
    try_plan([&](Plan& p) { p.socket = calm.socket; });
    try_plan([](Plan& p) { p.flush_fails = false; });
    try_plan([](Plan& p) { p.tight = p.short_recovery = false; });
    try_plan([](Plan& p) { p.stranger = 0; });
    try_plan([](Plan& p) { p.accelerated = 0; });
    while (small_.plan.hosts > 2 && !small_.plan.twins) {
      const uint32_t hosts = small_.plan.hosts;
      try_plan([](Plan& p) { --p.hosts; });
      if (small_.plan.hosts == hosts) break;
    }
    try_plan([this](Plan& p) {  // no longer than its last event
      Instant last{};
      for (const Event& event : small_.script)
        if (event.stage == Stage::chaos) last = event.at;
      p.chaos = std::min(p.chaos, last.ns + 100 * ordering::kMillisecond);
    });
  }

  Small small_;
  const std::string predicate_;
};

}  // namespace

Small shrink(const Plan& plan, const Script& script, const std::string& predicate) { return Shrinking(plan, script, predicate).all(); }

}  // namespace evs::sim
