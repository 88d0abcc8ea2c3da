// SPDX-License-Identifier: BSD-3-Clause
// probe_futex.cc - two processes that sleep on futexes and wake each other: a blocking round trip with nothing around
// it.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/clock.h"
#include "tests/bench/crew.h"
#include "tests/bench/probes.h"
#include "tests/bench/quiet.h"

namespace evs::bench {

namespace {

struct Bell {
  alignas(128) std::atomic<uint32_t> rings;

  void ring() {
    rings.fetch_add(1, std::memory_order_release);
    syscall(SYS_futex, &rings, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  void wait_beyond(uint32_t seen) {
    while (rings.load(std::memory_order_acquire) == seen) {
      syscall(SYS_futex, &rings, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    }
  }
};

struct Table {
  StartLine start;
  Bell there, back;
  std::atomic<bool> over;
  alignas(128) Samples samples;
};

}  // namespace

Percentiles probe_futex(int milliseconds, int quiet_us) {
  Shared<Table> table;
  Crew crew;
  crew.start("futex-first", cores().first, [&] {
    table->start.wait_for(2);
    const uint64_t end_ns = monotonic_ns() + static_cast<uint64_t>(milliseconds) * 1'000'000u;
    for (uint32_t round = 0; monotonic_ns() < end_ns && !table->samples.full(); ++round) {
      be_quiet(quiet_us);
      const uint64_t before = ticks();
      table->there.ring();
      table->back.wait_beyond(round);
      table->samples.add(ticks() - before);
    }
    table->over.store(true, std::memory_order_release);
    table->there.ring();
  });
  crew.start("futex-second", cores().second, [&] {
    table->start.wait_for(2);
    for (uint32_t round = 0;; ++round) {
      table->there.wait_beyond(round);
      if (table->over.load(std::memory_order_acquire)) return;
      table->back.ring();
    }
  });
  crew.finish();
  const Samples& samples = table->samples;
  return percentiles_of(std::vector<uint32_t>(samples.ticks, samples.ticks + samples.count), ns_per_tick());
}

}  // namespace evs::bench
