// SPDX-License-Identifier: BSD-3-Clause
// wake_blocking.cc - both sleep in evs_dispatch(CS_DISPATCH_BLOCKING), which a finalize from the callback ends.
#include "tests/bench/wake.h"

namespace evs::bench {

std::vector<Outcome> measure_wake_blocking(const Plan& plan) {
  return measure_wake(plan, "futex", TargetId::wake_blocking, TargetId::wake_blocking_quiet, probe_futex, true,
                      [](Member& member, const WakePlayer&) { member.dispatch(CS_DISPATCH_BLOCKING); });
}

}  // namespace evs::bench
