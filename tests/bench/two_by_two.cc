// SPDX-License-Identifier: BSD-3-Clause
// two_by_two.cc - two senders and two readers on two processors, against one of each.
//
// Twice the processes do not fit at once, so this shows whether a claim or a cursor of a process that was put aside
// holds up the others. "In sum" is over the readers: a message that both have read counts twice.
#include "tests/bench/alternate.h"
#include "tests/bench/rate_round.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kBytes = 64;
constexpr double kReaders = 2;

struct Ours {
  double evs;
  double bare;
};

}  // namespace

std::vector<Outcome> measure_two_by_two(const Plan& plan) {
  const RecordShape shape = ring_shape(kBytes);
  const auto rounds = alternate(
      plan.rounds, [&] { return evs_rate(plan.milliseconds, kBytes, 1, 1); },
      [&] {
        return Ours{evs_rate(plan.milliseconds, kBytes, 2, 2),
                    probe_log_rate(plan.milliseconds, shape, 2, 2).messages_per_second};
      });
  const auto itself = [](double rate) { return rate; };
  const auto compared =
      compare(rounds, itself, [](double probe, const Ours& ours) { return kReaders * ours.evs / probe; });
  const double evs = median_over(rounds, [](const auto& r) { return r.ours.evs; });
  const double one = median_over(rounds, [](const auto& r) { return r.before; });
  const double bare = median_over(rounds, [](const auto& r) { return r.ours.bare; });
  return {{TargetId::rate_2x2,
           compared.values,
           {{"evs 2x2", evs / 1e6, "M/s sent"},
            {"read by each of 2, in sum", kReaders * evs / 1e6, "M/s"},
            {"evs 1x1", one / 1e6, "M/s"},
            {"bare log 2x2", bare / 1e6, "M/s sent"}},
           compared.unsteady,
           ""}};
}

}  // namespace evs::bench
