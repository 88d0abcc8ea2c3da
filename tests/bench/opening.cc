// SPDX-License-Identifier: BSD-3-Clause
// opening.cc - how long a process waits from evs_initialize() to the return of evs_join(): on a bus that lives, and as
// the first member, which has to create it. Each time in a fresh process; loading the library comes before.
#include <thread>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/signs.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

struct Times {
  uint64_t initialized_ns;
  uint64_t joined_ns;
};

Times open_once() {
  Shared<Times> times;
  Crew crew;
  crew.start("newcomer", kAnyCpu, [&] {
    const Library& evs = library();
    const evs_group group = group_named("opening");
    evs_handle_t handle = 0;
    const uint64_t start_ns = monotonic_ns();
    if (evs.initialize(&handle, nullptr) != CS_OK) throw Malfunction("evs_initialize failed");
    times->initialized_ns = monotonic_ns() - start_ns;
    if (evs.join(handle, &group, 1) != CS_OK) throw Malfunction("evs_join failed");
    times->joined_ns = monotonic_ns() - start_ns;
    if (evs.finalize(handle) != CS_OK) throw Malfunction("evs_finalize failed");
  });
  crew.finish();
  return *times;
}

Outcome judge(TargetId id, int opens) {
  std::vector<uint64_t> initialized, joined;
  for (int i = 0; i < opens; ++i) {
    const Times times = open_once();
    initialized.push_back(times.initialized_ns);
    joined.push_back(times.joined_ns);
  }
  const Percentiles all = percentiles_of(joined, 1e-6);
  return {id,
          {all.p50},
          {{"p90", all.p90, "ms"},
           {"max", all.max, "ms"},
           {"of which evs_initialize p50", percentiles_of(initialized, 1e-6).p50, "ms"},
           {"opens", static_cast<double>(opens), ""}},
          0,
          ""};
}

}  // namespace

std::vector<Outcome> measure_opening(const Plan& plan) {
  std::vector<Outcome> out;
  {
    SignPipe open, over;
    Crew crew;
    crew.start("resident", kAnyCpu, [&] {
      Member member(nullptr);
      member.join(group_named("opening"));
      open.write('o');
      std::thread doorman([&] {
        over.read();
        member.finalize();
      });
      member.dispatch(CS_DISPATCH_BLOCKING);
      doorman.join();
    });
    open.read(crew);
    out.push_back(judge(TargetId::open_live, plan.opens));
    over.write('o');
    crew.finish();
  }
  out.push_back(judge(TargetId::open_first, plan.opens));
  return out;
}

}  // namespace evs::bench
